// The module _random: the Mersenne Twister MT19937 (Matsumoto and Nishimura, 1998), as
// random.Random stands on it. Sequences for a seed are those CPython documents as stable.
#include <sys/random.h>

#include <bit>
#include <cerrno>
#include <string_view>

#include <vector>

#include "runtime/core/intern.h"
#include "runtime/core/type_object.h"
#include "runtime/objects/float_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/int_work.h"
#include "runtime/objects/module_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/protocol.h"

namespace minivm {

namespace {

constexpr int kN = 624;
constexpr int kM = 397;

class RandomObject : public Object {
 public:
  uint32_t state[kN];
  uint32_t index;  // kN: regenerate
};

uint32_t NextWord(RandomObject* r) {
  if (r->index >= kN) {
    uint32_t* s = r->state;
    auto twist = [](uint32_t high, uint32_t low) {
      uint32_t y = (high & 0x80000000u) | (low & 0x7fffffffu);
      return (y >> 1) ^ (y & 1 ? 0x9908b0dfu : 0);
    };
    for (int k = 0; k < kN; ++k) s[k] = s[(k + kM) % kN] ^ twist(s[k], s[(k + 1) % kN]);
    r->index = 0;
  }
  uint32_t y = r->state[r->index++];
  y ^= y >> 11;
  y ^= (y << 7) & 0x9d2c5680u;
  y ^= (y << 15) & 0xefc60000u;
  return y ^ (y >> 18);
}

void SeedWord(RandomObject* r, uint32_t seed) {
  r->state[0] = seed;
  for (uint32_t i = 1; i < kN; ++i) {
    r->state[i] = 1812433253u * (r->state[i - 1] ^ (r->state[i - 1] >> 30)) + i;
  }
  r->index = kN;
}

void SeedKey(RandomObject* r, const uint32_t* key, size_t length) {
  uint32_t* s = r->state;
  SeedWord(r, 19650218u);
  size_t i = 1, j = 0;
  for (size_t k = length > kN ? length : kN; k > 0; --k) {
    s[i] = (s[i] ^ ((s[i - 1] ^ (s[i - 1] >> 30)) * 1664525u)) + key[j] + static_cast<uint32_t>(j);
    if (++i >= kN) {
      s[0] = s[kN - 1];
      i = 1;
    }
    if (++j >= length) j = 0;
  }
  for (size_t k = kN - 1; k > 0; --k) {
    s[i] = (s[i] ^ ((s[i - 1] ^ (s[i - 1] >> 30)) * 1566083941u)) - static_cast<uint32_t>(i);
    if (++i >= kN) {
      s[0] = s[kN - 1];
      i = 1;
    }
  }
  s[0] = 0x80000000u;
}

Status SeedFrom(ThreadState& ts, RandomObject* r, Value seed) {
  if (seed.is_null() || IsNone(ts, seed)) {
    uint32_t key[kN];
    size_t have = 0;
    while (have < sizeof key) {
      ssize_t n = getrandom(reinterpret_cast<char*>(key) + have,
                            sizeof key - have > 256 ? 256 : sizeof key - have, 0);
      if (n <= 0) return RaiseErrno(ts, errno);
      have += static_cast<size_t>(n);
    }
    SeedKey(r, key, kN);
    return Ok();
  }
  Ref<> number;
  if (IsInt(ts, seed)) {
    number = Ref<>::Borrow(seed);
  } else {
    MVM_TRY(int64_t h, Hash(ts, seed));
    MVM_TRY(number, NewIntU64(ts, static_cast<uint64_t>(h)));
  }
  IntView x(number);  // by absolute value
  std::vector<uint32_t> key(x.size() * 2 + 1);
  size_t n = 0;
  for (size_t i = 0; i < x.size(); ++i) {
    key[n++] = static_cast<uint32_t>(x.limbs()[i]);
    key[n++] = static_cast<uint32_t>(x.limbs()[i] >> 32);
  }
  while (n > 0 && key[n - 1] == 0) --n;
  if (n == 0) n = 1;
  SeedKey(r, key.data(), n);
  return Ok();
}

// True if nothing overrides the method of this module in the class or in the instance (or null).
bool IsOurs(ThreadState& ts, TypeObject* cls, Object* instance, std::string_view method) {
  StrObject* interned = InternAscii(*ts.rt, method.data(), method.size());
  if (interned == nullptr) return false;
  Ref<StrObject> name = Ref<StrObject>::Steal(interned);
  TypeObject* base = cls;
  while (base->is_heap()) base = base->base;
  return TypeLookup(ts, cls, name).is(TypeLookup(ts, base, name)) &&
         (instance == nullptr || InstanceLookup(ts, instance, name).is_null());
}

Result<> random_new(ThreadState& ts, TypeObject* cls, Args raw) {
  MVM_TRY(Ref<> made, AllocInstance(ts, cls));
  RandomObject* r = made.as<RandomObject>();
  if (IsOurs(ts, cls, nullptr, "__init__")) {
    MVM_TRY_VOID(SeedFrom(ts, r, raw.n > 0 ? raw.v[0] : Value()));
  } else {
    SeedWord(r, 0);  // __init__ seeds, by arguments of its own
  }
  return made;
}
Result<> random_random(ThreadState& ts, Args args) {
  RandomObject* r = args.self<RandomObject>();
  uint32_t a = NextWord(r) >> 5, b = NextWord(r) >> 6;
  return NewFloat(ts, (a * 67108864.0 + b) * (1.0 / 9007199254740992.0));
}
Result<> random_seed(ThreadState& ts, Args args) {
  MVM_TRY_VOID(SeedFrom(ts, args.self<RandomObject>(), args[1]));
  return None(ts);
}
Result<> random_getrandbits(ThreadState& ts, Args args) {
  RandomObject* r = args.self<RandomObject>();
  MVM_TRY(int64_t k, AsInt64(ts, args[1]));
  if (k < 0) return Raise(ts, Exc::kValueError, "number of bits must be non-negative");
  if (k == 0) return Small(0);
  if (k <= 32) return Small(NextWord(r) >> (32 - k));
  size_t words = static_cast<size_t>((k - 1) / 32 + 1);
  size_t limbs = (words + 1) / 2;
  MVM_TRY(void* block, AllocBuffer(ts, limbs * 8));
  Limb* out = static_cast<Limb*>(block);
  out[limbs - 1] = 0;
  for (size_t i = 0; i < words; ++i, k -= 32) {
    uint32_t w = NextWord(r);
    if (k < 32) w >>= 32 - k;
    if (i % 2 == 0) {
      out[i / 2] = w;
    } else {
      out[i / 2] |= Limb{w} << 32;
    }
  }
  Result<> v = NewIntFromLimbs(ts, out, limbs, false);
  ts.heap().FreeBuffer(block, limbs * 8);
  return v;
}
// _below(n): an integer in range(n), drawn from as many bits as n has until one is small enough.
// Where getrandbits() is overridden, or n is large, the method of random.Random does it.
Result<> random_below(ThreadState& ts, Args args) {
  RandomObject* r = args.self<RandomObject>();
  int64_t n;
  if (IsInt(ts, args[1]) && IntFitsInt64(args[1], &n) && n > 0 && n <= 0xffffffff &&
      IsOurs(ts, TypeOf(ts, r), r, "getrandbits")) {
    const int unused = 32 - std::bit_width(static_cast<uint32_t>(n));
    uint32_t drawn;
    do {
      drawn = NextWord(r) >> unused;
    } while (drawn >= n);
    return Small(drawn);
  }
  MVM_TRY(Ref<> method, GetAttr(ts, args[0], "_randbelow_with_getrandbits"));
  return Call(ts, method, std::span<const Value>(&args.v[1], 1));
}
Result<> random_getstate(ThreadState& ts, Args args) {
  RandomObject* r = args.self<RandomObject>();
  Value words[kN + 1];
  for (int i = 0; i < kN; ++i) words[i] = Value::Int(r->state[i]);
  words[kN] = Value::Int(r->index);
  return NewTuple(ts, words);
}
Result<> random_setstate(ThreadState& ts, Args args) {
  RandomObject* r = args.self<RandomObject>();
  if (!IsTuple(ts, args[1])) return Raise(ts, Exc::kTypeError, "state vector must be a tuple");
  TupleObject* t = args.as<TupleObject>(1);
  if (t->size() != kN + 1) return Raise(ts, Exc::kValueError, "state vector is the wrong size");
  uint32_t state[kN + 1];
  for (int i = 0; i <= kN; ++i) {
    MVM_TRY(Ref<> v, Index(ts, t->items()[i]));
    if (IntSign(v) < 0)
      return Raise(ts, Exc::kOverflowError, "can't convert negative value to unsigned int");
    state[i] = static_cast<uint32_t>(IntLowBits(v));
  }
  if (state[kN] > kN) return Raise(ts, Exc::kValueError, "invalid state");
  for (int i = 0; i < kN; ++i) r->state[i] = state[i];
  r->index = state[kN];
  return None(ts);
}

const MethodSpec kRandomMethods[] = {
    {"_below(self, n, /)", random_below, "An integer in range(n)."},
    {"getrandbits(self, k, /)", random_getrandbits, "An integer of k random bits, 0 to 2**k - 1."},
    {"getstate(self, /)", random_getstate,
     "Where the generator is, for setstate(): its words and the index among them."},
    {"random(self, /)", random_random, "A float from 0.0 up and below 1.0, with 53 random bits."},
    {"seed(self, n=None, /)", random_seed,
     "Begin the sequence that belongs to n: its size if an integer, else its hash. None: one that "
     "nobody can foretell."},
    {"setstate(self, state, /)", random_setstate, "Go on from where getstate() was called."},
};

extern const TypeSpec kRandomType;
const TypeSpec kRandomType = {
    .name = "_random.Random",
    .doc =
        "A generator of pseudo-random numbers with a state of its own. They repeat after 2**19937 "
        "- 1; not for secrets.",
    .flags = kTypeBase,
    .size = sizeof(RandomObject),
    .slots = {.new_ = random_new},
    .methods = kRandomMethods,
};
const TypeSpec* const kTypes[] = {&kRandomType};

}  // namespace

extern const ModuleSpec k__random_module;
const ModuleSpec k__random_module = {
    .name = "_random",
    .doc = "The Mersenne Twister, which module random builds upon.",
    .types = kTypes,
};

}  // namespace minivm
