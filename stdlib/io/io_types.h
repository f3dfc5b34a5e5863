// The stream types of _io: layouts, and what they share.
//
//   io_base.cpp     _IOBase and the three abstract families
//   file_io.cpp     FileIO: a descriptor
//   buffered.cpp    BufferedReader, BufferedWriter, BufferedRandom; buffered_pair.cpp:
//   BufferedRWPair text_io.cpp     TextIOWrapper: writing and set-up; text_read.cpp: reading;
//   text_seek.cpp: positions text_codec.cpp  what TextIOWrapper encodes and decodes with
//   bytes_io.cpp, string_io.cpp, newline_decoder.cpp
// Streams call each other natively when they are exact instances of our own types, through their
// methods otherwise.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

#include "runtime/core/wait_list.h"
#include "runtime/objects/codec.h"
#include "runtime/objects/dict_object.h"

namespace minivm::io {

inline constexpr int64_t kDefaultBufferSize = 8192;
// Buffers of files are larger than the documented default where the system does not ask for more.
inline constexpr int64_t kOpenBufferSize = 16384;

// Who is inside a stream, and who waits to be.
struct StreamOwner {
  ThreadState* thread = nullptr;
  WaitList waiting;
};

class IoBaseObject : public Object {
 public:
  DictObject* dict = nullptr;
  bool base_closed = false;  // _IOBase.close() has been called
  template <class V>
  void VisitRefs(V&& v) {
    v(dict);
  }
};

class FileIoObject : public IoBaseObject {
 public:
  int fd = -1;
  bool created = false, readable = false, writable = false, appending = false;
  bool close_fd = true, finalizing = false;
  int8_t seekable = -1;  // -1: not asked yet
  int64_t block_size = kDefaultBufferSize;
};

// Reader, Writer and Random. The buffer holds either bytes read ahead, [pos, end), or bytes to be
// written, [0, dirty); never both.
class BufferedObject : public IoBaseObject {
 public:
  Value raw;  // null: detached
  uint8_t* buffer = nullptr;
  int64_t size = 0;
  int64_t pos = 0, end = 0, dirty = 0;
  StreamOwner owner;
  bool ok = false, detached = false, readable = false, writable = false, finalizing = false;
  bool raw_is_file = false;  // an exact FileIO
  template <class V>
  void VisitRefs(V&& v) {
    v(dict);
    v(raw);
  }
  void FreeBuffers(Heap& heap);
};

class BufferedPairObject : public IoBaseObject {
 public:
  Value reader, writer;
  template <class V>
  void VisitRefs(V&& v) {
    v(dict);
    v(reader);
    v(writer);
  }
};

class BytesIoObject : public IoBaseObject {
 public:
  uint8_t* buffer = nullptr;
  uint64_t capacity = 0, size = 0, pos = 0;
  int64_t exports = 0;
  bool closed = false;
  void FreeBuffers(Heap& heap);
};

// How newlines are treated.
struct NewlineMode {
  bool universal = true;   // \r and \r\n end lines, too
  bool translate = true;   // ... and become \n
  char read_end[3] = "";   // what ends a line; "": universal
  char write_end[3] = "";  // what \n is written as; "": itself
};
// `newline` argument: None, '', '\n', '\r', '\r\n'. ValueError "illegal newline value: ...".
Status ParseNewline(ThreadState& ts, Value newline, NewlineMode* mode);

// Kinds of line ends seen: bits of `newlines`.
enum SeenNewlines : uint8_t { kSeenCr = 1, kSeenLf = 2, kSeenCrLf = 4 };
Result<> NewlinesAttribute(ThreadState& ts, uint8_t seen);

class NewlineDecoderObject : public Object {
 public:
  Value decoder, errors;  // decoder None: text in, text out
  bool translate = false, pending_cr = false;
  uint8_t seen = 0;
  DictObject* dict = nullptr;
  template <class V>
  void VisitRefs(V&& v) {
    v(decoder);
    v(errors);
    v(dict);
  }
};
// \r\n and \r become \n (if translate); a \r at the end of a non-final piece is kept back in
// *pending_cr.
Result<StrObject> TranslateNewlines(ThreadState& ts, Ref<StrObject> text, bool translate,
                                    bool final, bool* pending_cr, uint8_t* seen);

class StringIoObject : public IoBaseObject {
 public:
  uint8_t* buffer = nullptr;  // `capacity` characters of `kind` bytes each
  uint64_t capacity = 0, size = 0, pos = 0;
  uint8_t kind = 1;  // 1, 2 or 4
  NewlineMode newline;
  bool closed = false, ok = false;
  uint8_t seen = 0;
  void FreeBuffers(Heap& heap);
};

enum class TextCodec : uint8_t { kUtf8, kAscii, kLatin1, kUtf16, kUtf32, kTable, kObject };

// Decoding state between pieces.
struct DecodeState {
  std::string rest;                      // bytes of an incomplete character
  ByteOrder order = ByteOrder::kNative;  // UTF-16 and 32: as the mark said
  bool pending_cr = false;
  bool mark_seen = false;  // utf-8-sig: past the place of the mark
};

class TextIoObject : public IoBaseObject {
 public:
  Value buffer;  // null: detached
  StrObject* encoding = nullptr;
  StrObject* errors = nullptr;
  Value decoder, encoder;  // kObject: codec objects
  NewlineMode newline;
  TextCodec codec = TextCodec::kUtf8;
  ByteOrder fixed_order = ByteOrder::kNative;  // of utf-16-le and its like
  const ByteTable* table = nullptr;
  bool ok = false, detached = false, line_buffering = false, write_through = false;
  bool readable = false, writable = false, seekable = false, telling = false, finalizing = false;
  bool strict = true;             // errors == "strict"
  bool buffer_is_ours = false;    // an exact BufferedReader, Writer or Random
  bool sig = false;               // utf-8-sig
  bool encoding_started = false;  // a byte order mark has been written, or is not wanted
  bool writing = false;           // in a write() of the buffer, which may write here again
  uint8_t seen = 0;
  // Text to be written, encoded.
  uint8_t* pending = nullptr;
  int64_t pending_size = 0, pending_capacity = 0;
  int64_t chunk_size = kDefaultBufferSize;
  // Text read ahead: decoded[used..).
  StrObject* decoded = nullptr;
  int64_t used = 0;
  DecodeState* state = nullptr;  // made with the first read
  // Where `decoded` came from: the bytes, and the state before them (for tell()).
  std::string* snapshot = nullptr;
  DecodeState* snapshot_state = nullptr;
  Value snapshot_flags;  // kObject: decoder state before
  int64_t snapshot_origin = -1;
  StreamOwner owner;
  template <class V>
  void VisitRefs(V&& v) {
    v(dict);
    v(buffer);
    v(encoding);
    v(errors);
    v(decoder);
    v(encoder);
    v(decoded);
    v(snapshot_flags);
  }
  void FreeBuffers(Heap& heap);
};

extern const TypeSpec kIoBaseType, kRawIoBaseType, kBufferedIoBaseType, kTextIoBaseType;
extern const TypeSpec kFileIoType, kBytesIoType, kBytesIoBufferType, kBufferedReaderType,
    kBufferedWriterType;
extern const TypeSpec kBufferedRandomType, kBufferedRwPairType, kTextIoWrapperType, kStringIoType;
extern const TypeSpec kNewlineDecoderType;

// Exact instance of one of our types (not of a subclass that scripts made).
inline bool IsOur(ThreadState& ts, Value v, const TypeSpec& spec) {
  if (!v.is_object()) return false;
  TypeObject* t = TypeOf(ts, v);
  return t->spec == &spec && !t->is_heap();
}

Result<> AllocStream(ThreadState& ts, TypeObject* cls, Args raw);  // slots.new_

// io.UnsupportedOperation(message), raised. It is both OSError and ValueError.
Raised RaiseUnsupported(ThreadState& ts, const char* message);
// With -X warn_default_encoding: EncodingWarning "'encoding' argument not specified".
Status WarnOfDefaultEncoding(ThreadState& ts, int stack_level);
// object.closed as truth.
Result<bool> IsClosed(ThreadState& ts, Value stream);
// ValueError "I/O operation on closed file." if self.closed.
Status CheckClosed(ThreadState& ts, Value stream,
                   const char* message = "I/O operation on closed file.");
// size argument: None and negative are -1.
Result<int64_t> SizeArgument(ThreadState& ts, Value v);
// An offset or position as int64: TypeError, OverflowError.
Result<int64_t> OffsetArgument(ThreadState& ts, Value v);
Result<> CallNamed(ThreadState& ts, Value stream, const char* method,
                   std::span<const Value> args = {});
inline Result<> CallNamed(ThreadState& ts, Value stream, const char* method, Value arg) {
  return CallNamed(ts, stream, method, std::span<const Value>(&arg, 1));
}
// A method that gives a truth value. Our own files and buffers are asked without a call if it is
// readable(), writable() or seekable().
Result<bool> AskStream(ThreadState& ts, Value stream, const char* method);
// Enters an attribute that is no descriptor of the exact type of the stream; for instances of
// classes of scripts an ordinary assignment.
Status EnterAttribute(ThreadState& ts, Value stream, const TypeSpec& spec, StrObject* name,
                      Value value);
// What objects do in the end: close() unless closed, errors to sys.unraisablehook.
Status FinalizeStream(ThreadState& ts, Value self);
// stream.name for repr, or Absent().
Result<> NameForRepr(ThreadState& ts, Value stream);
// Objects that belong to one thread at a time; RuntimeError on re-entry. Whoever holds the lock of
// a stream that it has found usable may rely on the stream's parts: only holders of the lock
// exchange them.
class StreamLock {
 public:
  StreamLock(ThreadState& ts, StreamOwner* owner, Value stream);
  // For streams that must be usable: what ran before the lock was had may have detached them.
  StreamLock(ThreadState& ts, BufferedObject* stream);
  StreamLock(ThreadState& ts, TextIoObject* stream);
  ~StreamLock() { Leave(); }
  explicit operator bool() const { return held_; }

 private:
  void Leave() {
    if (!std::exchange(held_, false)) return;
    owner_->thread = nullptr;
    owner_->waiting.WakeOne(ts_);
  }

  ThreadState& ts_;
  StreamOwner* owner_;
  bool held_ = false;
};

// ---- FileIO ----

// read(2) into memory: bytes read, -1 would block. Retries EINTR.
Result<int64_t> FileRead(ThreadState& ts, FileIoObject* f, void* to, size_t n);
// write(2): bytes written, -1 would block.
Result<int64_t> FileWrite(ThreadState& ts, FileIoObject* f, const void* from, size_t n);
Result<int64_t> FileSeek(ThreadState& ts, FileIoObject* f, int64_t offset, int whence);
Status OpenFile(ThreadState& ts, FileIoObject* f, Value name, std::string_view mode, bool close_fd,
                Value opener);

// FileIO.seekable() of an open file.
bool FileSeekable(FileIoObject* f);

// ---- buffered streams ----

// Reader, Writer or Random as by calling the type, which its dictionary need not be made for.
Result<> NewBuffered(ThreadState& ts, const TypeSpec& spec, Value raw, int64_t size);
// bytes of at most n (n < 0: all); Absent() where nothing could be read without blocking.
Result<> BufferedRead(ThreadState& ts, BufferedObject* b, int64_t n);
Result<> BufferedRead1(ThreadState& ts, BufferedObject* b, int64_t n);
Status BufferedWriteAll(ThreadState& ts, BufferedObject* b, const void* data, int64_t n);
Result<int64_t> BufferedTell(ThreadState& ts, BufferedObject* b);
Status BufferedFlush(ThreadState& ts, BufferedObject* b);
Status CheckBuffered(ThreadState& ts, BufferedObject* b, const char* what);
Status CheckUsable(ThreadState& ts, BufferedObject* b);  // not detached

// ---- text ----

// TextIOWrapper(buffer, encoding, errors, newline, line_buffering, write_through).
Result<> NewTextStream(ThreadState& ts, std::span<const Value, 6> args);
// Encodes s (a str) and appends the bytes to the stream's pending ones.
Status SetCodec(ThreadState& ts, TextIoObject* t, StrObject* encoding, StrObject* errors);
Result<BytesObject> EncodeText(ThreadState& ts, TextIoObject* t, StrObject* s);
// Decodes a piece; `bytes_object` is what holds it, or null.
Result<StrObject> DecodeText(ThreadState& ts, TextIoObject* t, DecodeState* state,
                             std::string_view bytes, bool final);
Status ResetDecoder(ThreadState& ts, TextIoObject* t);
Status WritePending(ThreadState& ts, TextIoObject* t);
Status CheckText(ThreadState& ts, TextIoObject* t);
Status CheckReadable(ThreadState& ts, TextIoObject* t);
// What getstate() of a decoder object says: (bytes, flags).
Result<TupleObject> DecoderState(ThreadState& ts, TextIoObject* t);
// Reads and decodes a chunk; false at the end of the stream.
Result<bool> ReadChunk(ThreadState& ts, TextIoObject* t, int64_t hint);
void SetDecoded(TextIoObject* t, StrObject* text);  // takes the reference; null: none
Result<> TextReadLine(ThreadState& ts, TextIoObject* t, int64_t limit);
// End of the line that starts at `start`, exclusive, or -1 if it is not in s.
int64_t FindLineEnd(const StrObject* s, int64_t start, const NewlineMode& mode);
Result<> text_read(ThreadState& ts, Args args);
Result<> text_readline(ThreadState& ts, Args args);
Result<> text_seek(ThreadState& ts, Args args);
Result<> text_tell(ThreadState& ts, Args args);
Result<> text_next(ThreadState& ts, Value self);
Status TextFlush(ThreadState& ts, TextIoObject* t);
// _io._standard_stream(fd, encoding, errors, unbuffered): standard_stream.cpp.
extern const MethodSpec kStandardStream;
// io.open
Result<> OpenStream(ThreadState& ts, Args args);
Result<> DetectEncoding(ThreadState& ts, Value encoding);

}  // namespace minivm::io
