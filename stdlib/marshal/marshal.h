// Reading and writing values in the format of module marshal.
//
// A value is a type byte and its contents; a type byte with kFlagRef enters the object into a table
// from which a later 'r' takes it again. Data of every version reads and writes as CPython's does.
// Code objects are minivm's own (marshal_code.cpp): they are written with a checksum that only this
// process can make, because words that no compiler made could do anything.
#pragma once

#include <string>
#include <unordered_map>
#include <vector>

#include "runtime/core/thread_state.h"

namespace minivm {

inline constexpr int kMarshalVersion = 4;
inline constexpr uint8_t kFlagRef = 0x80;
inline constexpr int kMaxMarshalDepth = 2000;

class MarshalWriter {
 public:
  MarshalWriter(ThreadState& ts, int version, bool allow_code)
      : ts_(ts), version_(version), allow_code_(allow_code) {}
  // Appends a value; ValueError for what cannot be written. `held`: how many of its references are
  // only ours. May throw std::bad_alloc.
  Status Write(Value v, uint32_t held = 0);
  std::string& data() { return data_; }

  void Byte(uint8_t b) { data_.push_back(static_cast<char>(b)); }
  void Word16(uint32_t n);
  void Word32(uint32_t n);
  void Bytes(const void* p, size_t n) { data_.append(static_cast<const char*>(p), n); }

 private:
  // Writes a reference instead (true), or the type byte of an object that is now being written.
  bool Begin(Value v, char type);
  bool IsShared(Value v) const;
  Status WriteInt(Value v);
  Status WriteFloat(double d, bool plain);
  Status WriteStr(Value v);
  Status WriteItems(Value v, char type);
  Status WriteSet(Value v);
  Status WriteDict(Value v);
  Status WriteBuffer(Value v);
  Status Room(size_t more);

  ThreadState& ts_;
  int version_;
  bool allow_code_;
  int depth_ = 0;
  uint32_t held_ = 0;  // of the value whose type byte is to be written
  std::string data_;
  std::unordered_map<uint64_t, uint32_t> refs_;  // of what has been written, by its word
};

class MarshalReader {
 public:
  // From memory, which must outlive the reader.
  MarshalReader(ThreadState& ts, std::string_view data, bool allow_code)
      : ts_(ts), data_(data), allow_code_(allow_code) {}
  // From an object with readinto().
  MarshalReader(ThreadState& ts, Value file, bool allow_code)
      : ts_(ts), file_(file), allow_code_(allow_code) {}
  // The next value. May throw std::bad_alloc.
  Result<> ReadObject();

  // The next n bytes; EOFError without. The pointer is good until the next call.
  Result<const char*> Need(size_t n);
  Result<uint32_t> Word32();

 private:
  Result<> Read();  // Done() for the NULL that ends a dict
  Result<> ReadItem(const char* where);
  Result<int32_t> Size(const char* what);
  Result<> ReadType(char type, int64_t slot);
  Result<> ReadLong();
  Result<> ReadText(size_t n, bool interned, bool utf8);
  Result<double> ReadTextFloat();
  Result<double> ReadBinaryFloat();
  Result<> ReadSequence(uint32_t n, char type, int64_t slot);
  Result<> ReadDict(int64_t slot);
  // Enters an object into its place in the table; -1: none.
  void Enter(int64_t slot, Value v);

  ThreadState& ts_;
  std::string_view data_;
  Value file_;   // null: from memory
  Ref<> chunk_;  // the buffer that was filled last
  bool allow_code_;
  int depth_ = 0;
  std::vector<Ref<>> refs_;  // null: not finished
};

// A code object, after its type byte.
Status WriteCode(ThreadState& ts, MarshalWriter& out, Value code);
Result<> ReadCode(ThreadState& ts, MarshalReader& in);

}  // namespace minivm
