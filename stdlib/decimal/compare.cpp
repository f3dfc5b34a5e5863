// Comparisons, minima and maxima, neighbours, classes.
#include "stdlib/decimal/number.h"

namespace minivm::decimal {

namespace {

// |a| and |b|, both finite and not zero.
Result<int> CompareMagnitudes(ThreadState& ts, const View& a, const View& b) {
  const int64_t ta = a.adjusted(), tb = b.adjusted();
  if (ta != tb) return ta < tb ? -1 : 1;
  if (a.exp == b.exp) return CompareWords(a.w, b.w);
  // Equal first digits' places: the exponents differ by no more than the digits do.
  Words shifted(ts);
  if (a.exp > b.exp) {
    MVM_TRY_VOID(ShiftLeftWords(ts, &shifted, a.w, static_cast<uint64_t>(a.exp - b.exp)));
    return CompareWords(shifted, b.w);
  }
  MVM_TRY_VOID(ShiftLeftWords(ts, &shifted, b.w, static_cast<uint64_t>(b.exp - a.exp)));
  return CompareWords(a.w, shifted);
}

}  // namespace

Result<int> CompareNumbers(ThreadState& ts, const View& a, const View& b) {
  if (a.infinite() || b.infinite()) {
    const int sa = a.infinite() ? (a.negative ? -1 : 1) : 0;
    const int sb = b.infinite() ? (b.negative ? -1 : 1) : 0;
    return sa == sb ? 0 : sa < sb ? -1 : 1;
  }
  if (a.zero() || b.zero()) {
    if (a.zero() && b.zero()) return 0;
    if (a.zero()) return b.negative ? 1 : -1;
    return a.negative ? -1 : 1;
  }
  if (a.negative != b.negative) return a.negative ? -1 : 1;
  MVM_TRY(int order, CompareMagnitudes(ts, a, b));
  return a.negative ? -order : order;
}

Result<int> CompareTotal(ThreadState& ts, const View& a, const View& b) {
  if (a.negative != b.negative) return a.negative ? -1 : 1;
  const int sign = a.negative ? -1 : 1;
  // Finite numbers and infinities, then signaling NaNs, then quiet ones.
  auto rank = [](const View& v) { return !v.nan() ? 0 : v.signaling() ? 1 : 2; };
  if (rank(a) != rank(b)) return rank(a) < rank(b) ? -sign : sign;
  if (a.nan()) return sign * CompareWords(a.w, b.w);
  MVM_TRY(int order, CompareNumbers(ts, a, b));
  if (order != 0 || a.infinite() || a.exp == b.exp) return order;
  return a.exp < b.exp ? -sign : sign;
}

Status CompareOperation(ThreadState& ts, Number* out, const View& a, const View& b, bool signal,
                        const Settings& c, uint32_t* status) {
  bool done;
  MVM_TRY_VOID(PropagateNans(ts, out, a, &b, c, status, &done));
  if (done) {
    if (signal) *status |= kInvalidOperation;
    return Ok();
  }
  MVM_TRY(int order, CompareNumbers(ts, a, b));
  return out->SetWord(ts, order != 0, 0, order < 0);
}

Status MinMax(ThreadState& ts, Number* out, const View& a, const View& b, bool max, bool magnitude,
              const Settings& c, uint32_t* status) {
  const View* chosen;
  if (a.kind == Kind::kQuietNan && !b.nan()) {
    chosen = &b;
  } else if (b.kind == Kind::kQuietNan && !a.nan()) {
    chosen = &a;
  } else {
    bool done;
    MVM_TRY_VOID(PropagateNans(ts, out, a, &b, c, status, &done));
    if (done) return Ok();
    int order = 0;
    if (magnitude) {
      MVM_TRY(order, CompareNumbers(ts, a.Absolute(), b.Absolute()));
    }
    if (order == 0) {
      MVM_TRY(order, CompareNumbers(ts, a, b));
    }
    if (order == 0) {
      MVM_TRY(order, CompareTotal(ts, a, b));
    }
    chosen = (order > 0) == max && order != 0 ? &a : order == 0 ? &a : &b;
  }
  MVM_TRY_VOID(out->Copy(ts, *chosen));
  return Finalize(ts, out, c, status);
}

Status NextAdjacent(ThreadState& ts, Number* out, const View& a, int direction, const Settings& c,
                    uint32_t* status) {
  bool done;
  MVM_TRY_VOID(PropagateNans(ts, out, a, nullptr, c, status, &done));
  if (done) return Ok();
  const bool down = direction < 0;
  if (a.infinite()) {
    if (a.negative == down) return out->Copy(ts, a);
    out->Set(Kind::kFinite, a.negative);  // the largest finite number
    out->exp = c.etop();
    return AllNines(ts, &out->w, static_cast<uint64_t>(c.prec));
  }
  Settings directed = c;
  directed.rounding = down ? Rounding::kFloor : Rounding::kCeiling;
  uint32_t ignored = 0;
  MVM_TRY_VOID(out->Copy(ts, a));
  MVM_TRY_VOID(Finalize(ts, out, directed, &ignored));
  MVM_TRY(int order, CompareNumbers(ts, out->view(), a));
  if (order != 0) return Ok();
  Number tiny(ts);
  MVM_TRY_VOID(tiny.SetWord(ts, 1, c.etiny() - 1, down));
  return Add(ts, out, a, tiny.view(), false, directed, &ignored);
}

Status NextToward(ThreadState& ts, Number* out, const View& a, const View& b, const Settings& c,
                  uint32_t* status) {
  bool done;
  MVM_TRY_VOID(PropagateNans(ts, out, a, &b, c, status, &done));
  if (done) return Ok();
  MVM_TRY(int order, CompareNumbers(ts, a, b));
  if (order == 0) {
    MVM_TRY_VOID(out->Copy(ts, a));
    out->negative = b.negative;
    return Ok();
  }
  MVM_TRY_VOID(NextAdjacent(ts, out, a, -order, c, status));
  if (out->kind == Kind::kInfinite) {
    *status |= kOverflow | kInexact | kRounded;
  } else if (out->view().adjusted() < c.emin) {
    *status |= kUnderflow | kSubnormal | kInexact | kRounded;
    if (out->w.empty()) *status |= kClamped;
  }
  return Ok();
}

bool IsSubnormal(const View& a, const Settings& c) {
  return a.finite() && !a.zero() && a.adjusted() < c.emin;
}
bool IsNormal(const View& a, const Settings& c) {
  return a.finite() && !a.zero() && a.adjusted() >= c.emin;
}

const char* NumberClass(const View& a, const Settings& c) {
  if (a.signaling()) return "sNaN";
  if (a.nan()) return "NaN";
  if (a.infinite()) return a.negative ? "-Infinity" : "+Infinity";
  if (a.zero()) return a.negative ? "-Zero" : "+Zero";
  if (IsSubnormal(a, c)) return a.negative ? "-Subnormal" : "+Subnormal";
  return a.negative ? "-Normal" : "+Normal";
}

}  // namespace minivm::decimal
