// The module grp: the database of groups.
#include <grp.h>

#include "runtime/objects/list_object.h"
#include "runtime/objects/struct_sequence.h"
#include "stdlib/account_lookup.h"

namespace minivm {

namespace {

const GetSetSpec kFields[] = {
    {"gr_name", StructItem<0>, nullptr, "what the group is called"},
    {"gr_passwd", StructItem<1>, nullptr, "password"},
    {"gr_gid", StructItem<2>, nullptr, "group id"},
    {"gr_mem", StructItem<3>, nullptr, "names of its members"},
};
const StructSequenceSpec kGroup = {
    .type = StructSequenceTypeSpec(
        "grp.struct_group", kFields,
        "An entry of the database of groups: (name, password, gid, members).",
        "structseq(sequence, dict=<unrepresentable>)"),
    .visible = 4,
    .total = 4,
};

Result<> GroupResult(ThreadState& ts, const struct group& g) {
  MVM_TRY(Ref<ListObject> members, NewListReserve(ts, 0));
  for (char** m = g.gr_mem; m != nullptr && *m != nullptr; ++m) {
    MVM_TRY(Ref<StrObject> name, NewStrFromOs(ts, *m));
    MVM_TRY_VOID(ListAppend(ts, members, Value(name.get())));
  }
  MVM_TRY(Ref<StrObject> name, NewStrFromOs(ts, g.gr_name != nullptr ? g.gr_name : ""));
  Ref<> password = Ref<>::Borrow(ts.rt->none);
  if (g.gr_passwd != nullptr) {
    MVM_TRY(password, Result<>(NewStrFromOs(ts, g.gr_passwd)));
  }
  Value v[] = {Value(name.get()), password.get(), AccountId(g.gr_gid), Value(members.get())};
  return NewStructSequence(ts, kGroup, v);
}

Result<> grp_getgrnam(ThreadState& ts, Args args) {
  std::string name;
  MVM_TRY_VOID(AccountName(ts, args[0], "getgrnam() argument 1 must be str, not %T", &name));
  struct group row;
  std::vector<char> buffer;
  MVM_TRY(bool found, LookUpAccount(
                          ts,
                          [&](struct group* g, char* b, size_t n, struct group** out) {
                            return getgrnam_r(name.c_str(), g, b, n, out);
                          },
                          &row, &buffer));
  if (!found) return Raise(ts, Exc::kKeyError, "getgrnam(): name not found: %R", args[0]);
  return GroupResult(ts, row);
}

Result<> grp_getgrgid(ThreadState& ts, Args args) {
  MVM_TRY(gid_t id, AsGid(ts, args[0]));
  struct group row;
  std::vector<char> buffer;
  MVM_TRY(bool found, LookUpAccount(
                          ts,
                          [&](struct group* g, char* b, size_t n, struct group** out) {
                            return getgrgid_r(id, g, b, n, out);
                          },
                          &row, &buffer));
  if (!found) return Raise(ts, Exc::kKeyError, "getgrgid(): gid not found: %R", AccountId(id));
  return GroupResult(ts, row);
}

Result<> grp_getgrall(ThreadState& ts, Args args) {
  MVM_TRY(Ref<ListObject> list, NewListReserve(ts, 0));
  // No script code runs between the steps: the C library has one cursor for all.
  setgrent();
  while (struct group* g = getgrent()) {
    Result<> row = GroupResult(ts, *g);
    if (row.raised() || ListAppend(ts, list, Ref<>(std::move(row))).raised()) {
      endgrent();
      return kRaised;
    }
  }
  endgrent();
  return list;
}

const MethodSpec kFunctions[] = {
    {"getgrall()", grp_getgrall, "Every group of the database, in no order."},
    {"getgrgid(id)", grp_getgrgid, "The group of that number. KeyError if there is none."},
    {"getgrnam(name)", grp_getgrnam, "The group of that name. KeyError if there is none."},
};

Status exec_grp(ThreadState& ts, ModuleObject* module) {
  MVM_TRY(TypeObject * type, StructSequenceType(ts, kGroup));
  return ModuleAdd(ts, module, "struct_group", Value(type));
}

}  // namespace

extern const ModuleSpec k_grp_module;
const ModuleSpec k_grp_module = {
    .name = "grp",
    .doc = "The groups that the system knows.",
    .functions = kFunctions,
    .exec = exec_grp,
};

}  // namespace minivm
