// cell: closure variables, and the values of celled dictionaries.
//
// An empty cell holds the VM's "unbound" object; a cell that the collector has cleared holds null.
#include "runtime/objects/cell_object.h"

#include "runtime/objects/str_object.h"
#include "runtime/protocol/protocol.h"

namespace minivm {

Result<CellObject> NewCell(ThreadState& ts, Value value) {
  MVM_TRY(Ref<CellObject> cell, New<CellObject>(ts, TypeId::kCell));
  cell->value = value.is_null() ? Value(ts.rt->unbound) : value;
  Incref(cell->value);
  Track(cell);
  return cell;
}

namespace {

bool IsEmpty(ThreadState& ts, const CellObject* cell) {
  return cell->value.is_null() || cell->value.is(ts.rt->unbound);
}

// cell(contents=...): a cell, empty without an argument.
Result<> cell_new(ThreadState& ts, Args args) { return NewCell(ts, args.get(1, ts.rt->unbound)); }

Result<> cell_repr(ThreadState& ts, Value self) {
  CellObject* cell = self.as<CellObject>();
  if (IsEmpty(ts, cell)) return Format(ts, "<cell at %p: empty>", static_cast<void*>(cell));
  Value v = cell->value;
  return Format(ts, "<cell at %p: %T object at %p>", static_cast<void*>(cell), v,
                reinterpret_cast<void*>(v.bits()));
}

// By contents; empty cells come first.
Result<> cell_compare(ThreadState& ts, Value a, Value b, CompareOp op) {
  if (!IsExact(a, TypeId::kCell) || !IsExact(b, TypeId::kCell)) return NotImplemented(ts);
  CellObject* x = a.as<CellObject>();
  CellObject* y = b.as<CellObject>();
  if (!IsEmpty(ts, x) && !IsEmpty(ts, y)) {
    Ref<> left = Ref<>::Borrow(x->value);
    Ref<> right = Ref<>::Borrow(y->value);
    return Compare(ts, left, right, op);
  }
  int64_t left = IsEmpty(ts, x) ? 0 : 1;
  int64_t right = IsEmpty(ts, y) ? 0 : 1;
  return Compare(ts, Value::Int(left), Value::Int(right), op);
}

Result<> cell_get_contents(ThreadState& ts, Value self) {
  CellObject* cell = self.as<CellObject>();
  if (IsEmpty(ts, cell)) return Raise(ts, Exc::kValueError, "Cell is empty");
  return Result<>::Borrow(cell->value);
}

Status cell_set_contents(ThreadState& ts, Value self, Value value) {
  if (value.is_null()) value = ts.rt->unbound;
  Incref(value);
  Ref<> old = Ref<>::Steal(std::exchange(self.as<CellObject>()->value, value));
  return Ok();
}

const GetSetSpec kCellGetSets[] = {
    {"cell_contents", cell_get_contents, cell_set_contents},
};

}  // namespace

extern const TypeSpec kCellType;
const TypeSpec kCellType = {
    .name = "cell",
    .doc = "A closure variable. Without contents the cell is empty.",
    .size = sizeof(CellObject),
    .gc = GcHooksOf<CellObject>(),
    .slots = {.repr = cell_repr, .compare = cell_compare},
    .construct = {"cell(contents=<unrepresentable>, /)", cell_new},
    .getsets = kCellGetSets,
};

}  // namespace minivm
