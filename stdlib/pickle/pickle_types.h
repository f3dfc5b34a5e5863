// The native half of module pickle (_pickle): what its parts share.
//
// A pickle is a program for a small stack machine; the letters of its instructions are below.
// pickle_output.*: the bytes under construction, frames. pickle_memo.*: which objects have been
// written. pickler.cpp, pickler_reduce.cpp, pickler_global.cpp: objects to instructions.
// unpickle_input.*, unpickler.cpp, unpickler_build.cpp: instructions to objects.
#pragma once

#include "runtime/core/thread_state.h"
#include "runtime/protocol/buffer.h"
#include "stdlib/pickle/pickle_memo.h"
#include "stdlib/pickle/pickle_output.h"

namespace minivm::pickle {

inline constexpr int kHighestProtocol = 5;
inline constexpr int kDefaultProtocol = 4;
inline constexpr size_t kBatchSize = 1000;  // items per APPENDS, SETITEMS, ADDITEMS

enum Op : uint8_t {
  kMark = '(',
  kStop = '.',
  kPop = '0',
  kPopMark = '1',
  kDup = '2',
  kFloat = 'F',
  kInt = 'I',
  kBinInt = 'J',
  kBinInt1 = 'K',
  kLong = 'L',
  kBinInt2 = 'M',
  kNone = 'N',
  kPersId = 'P',
  kBinPersId = 'Q',
  kReduce = 'R',
  kString = 'S',
  kBinString = 'T',
  kShortBinString = 'U',
  kUnicode = 'V',
  kBinUnicode = 'X',
  kAppend = 'a',
  kBuild = 'b',
  kGlobal = 'c',
  kDict = 'd',
  kEmptyDict = '}',
  kAppends = 'e',
  kGet = 'g',
  kBinGet = 'h',
  kInst = 'i',
  kLongBinGet = 'j',
  kList = 'l',
  kEmptyList = ']',
  kObj = 'o',
  kPut = 'p',
  kBinPut = 'q',
  kLongBinPut = 'r',
  kSetItem = 's',
  kTuple = 't',
  kEmptyTuple = ')',
  kSetItems = 'u',
  kBinFloat = 'G',
  kProto = 0x80,
  kNewObj = 0x81,
  kExt1 = 0x82,
  kExt2 = 0x83,
  kExt4 = 0x84,
  kTuple1 = 0x85,
  kTuple2 = 0x86,
  kTuple3 = 0x87,
  kNewTrue = 0x88,
  kNewFalse = 0x89,
  kLong1 = 0x8a,
  kLong4 = 0x8b,
  kBinBytes = 'B',
  kShortBinBytes = 'C',
  kShortBinUnicode = 0x8c,
  kBinUnicode8 = 0x8d,
  kBinBytes8 = 0x8e,
  kEmptySet = 0x8f,
  kAddItems = 0x90,
  kFrozenSet = 0x91,
  kNewObjEx = 0x92,
  kStackGlobal = 0x93,
  kMemoize = 0x94,
  kFrame = 0x95,
  kByteArray8 = 0x96,
  kNextBuffer = 0x97,
  kReadonlyBuffer = 0x98,
};

extern const TypeSpec kPicklerType;
extern const TypeSpec kUnpicklerType;
extern const TypeSpec kPicklerMemoType;
extern const TypeSpec kUnpicklerMemoType;
extern const TypeSpec kPickleBufferType;

// pickle.PickleBuffer: a buffer that may travel beside the pickle instead of inside it.
class PickleBufferObject : public Object {
 public:
  BufferView view;  // empty: released
  template <class V>
  void VisitRefs(V&& v) {
    v(view.object);
  }
};
bool IsPickleBuffer(ThreadState& ts, Value v);
// The same bytes in a view of their own; ValueError if it was released.
Status PickleBufferView(ThreadState& ts, PickleBufferObject* b, BufferView* out);

// Raises _pickle.PicklingError, _pickle.UnpicklingError with a text as Raise makes it.
[[gnu::cold]] Raised RaisePickling(ThreadState& ts, const char* format, ...);
[[gnu::cold]] Raised RaiseUnpickling(ThreadState& ts, const char* format, ...);

// module.name, imported; for what lives in copyreg, codecs, functools, _compat_pickle.
Result<> ImportedName(ThreadState& ts, std::string_view module, std::string_view name);
// The same, which has to be a dict.
Result<DictObject> ImportedDict(ThreadState& ts, std::string_view module, std::string_view name);
// A tuple of these values.
Result<TupleObject> Pair(ThreadState& ts, Value a, Value b);

// pickle's `protocol` argument: None is the default, negative ones the highest.
Result<int> ProtocolArgument(ThreadState& ts, Value v);

Result<> pickle_dump(ThreadState& ts, Args args);
Result<> pickle_dumps(ThreadState& ts, Args args);
Result<> pickle_load(ThreadState& ts, Args args);
Result<> pickle_loads(ThreadState& ts, Args args);

}  // namespace minivm::pickle
