// compare_digest of _operator and _hashlib.
#include "stdlib/operator/secure_compare.h"

#include "runtime/objects/str_object.h"
#include "runtime/protocol/buffer.h"

namespace minivm {

Result<> CompareDigest(ThreadState& ts, Args args) {
  ByteView a_bytes, b_bytes;
  std::string_view a, b;
  if (IsStr(ts, args[0]) && IsStr(ts, args[1])) {
    StrObject *x = args.as<StrObject>(0), *y = args.as<StrObject>(1);
    if (!x->ascii() || !y->ascii()) {
      return Raise(ts, Exc::kTypeError,
                   "comparing strings with non-ASCII characters is not supported");
    }
    a = x->ascii_view();
    b = y->ascii_view();
  } else if (!HasBuffer(ts, args[0]) && !HasBuffer(ts, args[1])) {
    return Raise(ts, Exc::kTypeError,
                 "unsupported operand types(s) or combination of types: '%T' and '%T'", args[0],
                 args[1]);
  } else {
    MVM_TRY_VOID(a_bytes.Get(ts, args[0]));
    MVM_TRY_VOID(b_bytes.Get(ts, args[1]));
    a = a_bytes.view();
    b = b_bytes.view();
  }
  // As many steps as b has bytes, whatever a is.
  const std::string_view left = a.size() == b.size() ? a : b;
  volatile uint8_t differences = a.size() == b.size() ? 0 : 1;
  for (size_t i = 0; i < b.size(); ++i) {
    differences = differences | static_cast<uint8_t>(left[i] ^ b[i]);
  }
  MVM_TRY_VOID(Charge(ts, static_cast<int64_t>(b.size())));
  return Bool(ts, differences == 0);
}

}  // namespace minivm
