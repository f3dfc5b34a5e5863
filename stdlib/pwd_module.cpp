// The module pwd: the database of users.
#include <pwd.h>

#include "runtime/objects/list_object.h"
#include "runtime/objects/struct_sequence.h"
#include "stdlib/account_lookup.h"

namespace minivm {

namespace {

const GetSetSpec kFields[] = {
    {"pw_name", StructItem<0>, nullptr, "what the user is called"},
    {"pw_passwd", StructItem<1>, nullptr, "password"},
    {"pw_uid", StructItem<2>, nullptr, "number of the user"},
    {"pw_gid", StructItem<3>, nullptr, "group id"},
    {"pw_gecos", StructItem<4>, nullptr, "full name and the like"},
    {"pw_dir", StructItem<5>, nullptr, "where the user's files are"},
    {"pw_shell", StructItem<6>, nullptr, "program to start at a login"},
};
const StructSequenceSpec kPasswd = {
    .type = StructSequenceTypeSpec(
        "pwd.struct_passwd", kFields,
        "An entry of the database of users: (name, password, uid, gid, gecos, directory, "
        "shell).",
        "structseq(sequence, dict=<unrepresentable>)"),
    .visible = 7,
    .total = 7,
};

Result<> PasswdResult(ThreadState& ts, const struct passwd& p) {
  const char* texts[] = {p.pw_name, p.pw_passwd, p.pw_gecos, p.pw_dir, p.pw_shell};
  Ref<StrObject> hold[5];
  for (int i = 0; i < 5; ++i) {
    MVM_TRY(hold[i], NewStrFromOs(ts, texts[i] != nullptr ? texts[i] : ""));
  }
  Value v[] = {Value(hold[0].get()), Value(hold[1].get()), AccountId(p.pw_uid), AccountId(p.pw_gid),
               Value(hold[2].get()), Value(hold[3].get()), Value(hold[4].get())};
  return NewStructSequence(ts, kPasswd, v);
}

Result<> pwd_getpwnam(ThreadState& ts, Args args) {
  std::string name;
  MVM_TRY_VOID(AccountName(ts, args[0], "getpwnam() argument must be str, not %T", &name));
  struct passwd row;
  std::vector<char> buffer;
  MVM_TRY(bool found, LookUpAccount(
                          ts,
                          [&](struct passwd* p, char* b, size_t n, struct passwd** out) {
                            return getpwnam_r(name.c_str(), p, b, n, out);
                          },
                          &row, &buffer));
  if (!found) return Raise(ts, Exc::kKeyError, "getpwnam(): name not found: %R", args[0]);
  return PasswdResult(ts, row);
}

Result<> pwd_getpwuid(ThreadState& ts, Args args) {
  Result<uid_t> uid = AsUid(ts, args[0]);
  if (uid.raised()) {
    // Numbers that no user can have are just not found.
    if (!ClearPendingIf(ts, Exc::kOverflowError)) return kRaised;
    return Raise(ts, Exc::kKeyError, "getpwuid(): uid not found");
  }
  uid_t id = uid.Take();
  struct passwd row;
  std::vector<char> buffer;
  MVM_TRY(bool found, LookUpAccount(
                          ts,
                          [&](struct passwd* p, char* b, size_t n, struct passwd** out) {
                            return getpwuid_r(id, p, b, n, out);
                          },
                          &row, &buffer));
  if (!found) return Raise(ts, Exc::kKeyError, "getpwuid(): uid not found: %R", AccountId(id));
  return PasswdResult(ts, row);
}

Result<> pwd_getpwall(ThreadState& ts, Args args) {
  MVM_TRY(Ref<ListObject> list, NewListReserve(ts, 0));
  // No script code runs between the steps: the C library has one cursor for all.
  setpwent();
  while (struct passwd* p = getpwent()) {
    Result<> row = PasswdResult(ts, *p);
    if (row.raised() || ListAppend(ts, list, Ref<>(std::move(row))).raised()) {
      endpwent();
      return kRaised;
    }
  }
  endpwent();
  return list;
}

const MethodSpec kFunctions[] = {
    {"getpwall()", pwd_getpwall, "Every user of the database, in no order."},
    {"getpwnam(name, /)", pwd_getpwnam, "The user of that name. KeyError if there is none."},
    {"getpwuid(uidobj, /)", pwd_getpwuid, "The user of that number. KeyError if there is none."},
};

Status exec_pwd(ThreadState& ts, ModuleObject* module) {
  MVM_TRY(TypeObject * type, StructSequenceType(ts, kPasswd));
  return ModuleAdd(ts, module, "struct_passwd", Value(type));
}

}  // namespace

extern const ModuleSpec k_pwd_module;
const ModuleSpec k_pwd_module = {
    .name = "pwd",
    .doc = "The users that the system knows.",
    .functions = kFunctions,
    .exec = exec_pwd,
};

}  // namespace minivm
