// The module termios: settings of terminals.
#include <sys/ioctl.h>
#include <sys/ttydefaults.h>
#include <termios.h>
#include <unistd.h>

#include <cstring>

#include "runtime/objects/list_object.h"
#include "stdlib/exception_class.h"
#include "stdlib/fs_path.h"
#include "stdlib/posix/posix_support.h"

namespace minivm {

namespace {

// Raises termios.error(errno, text).
Raised RaiseTermios(ThreadState& ts) {
  int error = errno;
  return RaiseModuleError(ts, "termios", "error", error, strerror(error));
}
Result<> DoneOrError(ThreadState& ts, int r) {
  if (r < 0) return RaiseTermios(ts);
  return None(ts);
}

// [iflag, oflag, cflag, lflag, ispeed, ospeed, [cc, ...]]
Result<> termios_tcgetattr(ThreadState& ts, Args args) {
  MVM_TRY(int fd, ToDescriptor(ts, args[0]));
  struct termios mode;
  if (Blocking(ts, [&] { return tcgetattr(fd, &mode); }) < 0) return RaiseTermios(ts);
  MVM_TRY(Ref<ListObject> cc, NewListReserve(ts, NCCS));
  for (int i = 0; i < NCCS; ++i) {
    // Without line editing two of them are numbers.
    if (!(mode.c_lflag & ICANON) && (i == VMIN || i == VTIME)) {
      MVM_TRY_VOID(ListAppend(ts, cc, Value::Int(mode.c_cc[i])));
      continue;
    }
    MVM_TRY(Ref<BytesObject> c, NewBytes(ts, {reinterpret_cast<const char*>(&mode.c_cc[i]), 1}));
    MVM_TRY_VOID(ListAppend(ts, cc, Value(c.get())));
  }
  Value v[] = {
      Value::Int(mode.c_iflag), Value::Int(mode.c_oflag),       Value::Int(mode.c_cflag),
      Value::Int(mode.c_lflag), Value::Int(cfgetispeed(&mode)), Value::Int(cfgetospeed(&mode)),
      Value(cc.get())};
  return NewList(ts, v);
}

Result<tcflag_t> AsFlags(ThreadState& ts, Value v) {
  MVM_TRY(Ref<> i, Index(ts, v));
  return static_cast<tcflag_t>(IntLowBits(i));
}

Result<> termios_tcsetattr(ThreadState& ts, Args args) {
  MVM_TRY(int fd, ToDescriptor(ts, args[0]));
  MVM_TRY(int when, AsCInt(ts, args[1]));
  if (!IsList(ts, args[2]) || args.as<ListObject>(2)->size != 7) {
    return Raise(ts, Exc::kTypeError, "tcsetattr, arg 3: must be 7 element list");
  }
  // A copy: converting the items may run script code.
  MVM_TRY(Ref<TupleObject> items, TupleFrom(ts, args[2]));
  if (items->size() != 7)
    return Raise(ts, Exc::kTypeError, "tcsetattr, arg 3: must be 7 element list");
  struct termios mode = {};
  if (Blocking(ts, [&] { return tcgetattr(fd, &mode); }) < 0) return RaiseTermios(ts);
  tcflag_t* const flags[] = {&mode.c_iflag, &mode.c_oflag, &mode.c_cflag, &mode.c_lflag};
  for (uint32_t i = 0; i < 4; ++i) {
    MVM_TRY(*flags[i], AsFlags(ts, (*items)[i]));
  }
  MVM_TRY(speed_t input_speed, AsFlags(ts, (*items)[4]));
  MVM_TRY(speed_t output_speed, AsFlags(ts, (*items)[5]));
  Value cc = (*items)[6];
  if (!IsList(ts, cc) || cc.as<ListObject>()->size != NCCS) {
    return Raise(ts, Exc::kTypeError, "tcsetattr: attributes[6] must be %d element list", NCCS);
  }
  for (int i = 0; i < NCCS; ++i) {
    Value v = cc.as<ListObject>()->items[i];
    if (IsBytes(ts, v) && v.as<BytesObject>()->length == 1) {
      mode.c_cc[i] = v.as<BytesObject>()->data()[0];
    } else if (IsInt(ts, v)) {
      mode.c_cc[i] = static_cast<cc_t>(IntLowBits(v));
    } else {
      return Raise(ts, Exc::kTypeError,
                   "tcsetattr: elements of attributes must be characters or integers");
    }
  }
  if (cfsetispeed(&mode, input_speed) < 0 || cfsetospeed(&mode, output_speed) < 0)
    return RaiseTermios(ts);
  return DoneOrError(ts, Blocking(ts, [&] { return tcsetattr(fd, when, &mode); }));
}

Result<> termios_tcsendbreak(ThreadState& ts, Args args) {
  MVM_TRY(int fd, ToDescriptor(ts, args[0]));
  MVM_TRY(int duration, AsCInt(ts, args[1]));
  return DoneOrError(ts, Blocking(ts, [&] { return tcsendbreak(fd, duration); }));
}
Result<> termios_tcdrain(ThreadState& ts, Args args) {
  MVM_TRY(int fd, ToDescriptor(ts, args[0]));
  return DoneOrError(ts, Blocking(ts, [&] { return tcdrain(fd); }));
}
Result<> termios_tcflush(ThreadState& ts, Args args) {
  MVM_TRY(int fd, ToDescriptor(ts, args[0]));
  MVM_TRY(int queue, AsCInt(ts, args[1]));
  return DoneOrError(ts, Blocking(ts, [&] { return tcflush(fd, queue); }));
}
Result<> termios_tcflow(ThreadState& ts, Args args) {
  MVM_TRY(int fd, ToDescriptor(ts, args[0]));
  MVM_TRY(int action, AsCInt(ts, args[1]));
  return DoneOrError(ts, Blocking(ts, [&] { return tcflow(fd, action); }));
}
Result<> termios_tcgetwinsize(ThreadState& ts, Args args) {
  MVM_TRY(int fd, ToDescriptor(ts, args[0]));
  struct winsize w;
  if (ioctl(fd, TIOCGWINSZ, &w) < 0) return RaiseTermios(ts);
  Value pair[] = {Value::Int(w.ws_row), Value::Int(w.ws_col)};
  return NewTuple(ts, pair);
}
Result<> termios_tcsetwinsize(ThreadState& ts, Args args) {
  constexpr const char* kWrong = "tcsetwinsize, arg 2: must be a two-item sequence";
  MVM_TRY(int fd, ToDescriptor(ts, args[0]));
  if (TypeOf(ts, args[1])->slots.get_item == nullptr || IsDict(ts, args[1]))
    return Raise(ts, Exc::kTypeError, kWrong);
  MVM_TRY(Ref<TupleObject> pair, TupleFrom(ts, args[1]));
  if (pair->size() != 2) return Raise(ts, Exc::kTypeError, kWrong);
  MVM_TRY(int64_t rows, AsInt64(ts, (*pair)[0]));
  MVM_TRY(int64_t columns, AsInt64(ts, (*pair)[1]));
  struct winsize w;
  if (ioctl(fd, TIOCGWINSZ, &w) < 0) return RaiseTermios(ts);
  w.ws_row = static_cast<unsigned short>(rows);
  w.ws_col = static_cast<unsigned short>(columns);
  if (w.ws_row != rows || w.ws_col != columns) {
    return Raise(ts, Exc::kOverflowError, "winsize value(s) out of range.");
  }
  return DoneOrError(ts, ioctl(fd, TIOCSWINSZ, &w));
}

const MethodSpec kFunctions[] = {
    {"tcdrain(fd, /)", termios_tcdrain, "Wait until a terminal has sent what was written to it."},
    {"tcflow(fd, action, /)", termios_tcflow,
     "Stop or go on: output with TCOOFF and TCOON, input with TCIOFF and TCION."},
    {"tcflush(fd, queue, /)", termios_tcflush,
     "Drop what has come but not been read (TCIFLUSH), been written but not sent (TCOFLUSH) or "
     "both (TCIOFLUSH)."},
    {"tcgetattr(fd, /)", termios_tcgetattr,
     "A terminal's settings: [iflag, oflag, cflag, lflag, ispeed, ospeed, cc]; cc has the special "
     "characters as bytes, numbers at VMIN and VTIME."},
    {"tcgetwinsize(fd, /)", termios_tcgetwinsize, "Size of a terminal: (rows, columns)."},
    {"tcsendbreak(fd, duration, /)", termios_tcsendbreak,
     "Send zeros for a while: for duration 0, a quarter to half a second."},
    {"tcsetattr(fd, when, attributes, /)", termios_tcsetattr,
     "Set what tcgetattr() gives: at once (TCSANOW), when all is sent (TCSADRAIN), dropping input "
     "as well (TCSAFLUSH)."},
    {"tcsetwinsize(fd, winsize, /)", termios_tcsetwinsize,
     "Set the size of a terminal to (rows, columns)."},
};

const ConstantSpec kConstants[] = {
#define C(name) \
  { #name, ConstantSpec::kInt, static_cast < int64_t>(name) }
    C(B0),
    C(B1000000),
    C(B110),
    C(B115200),
    C(B1152000),
    C(B1200),
    C(B134),
    C(B150),
    C(B1500000),
    C(B1800),
    C(B19200),
    C(B200),
    C(B2000000),
    C(B230400),
    C(B2400),
    C(B2500000),
    C(B300),
    C(B3000000),
    C(B3500000),
    C(B38400),
    C(B4000000),
    C(B460800),
    C(B4800),
    C(B50),
    C(B500000),
    C(B57600),
    C(B576000),
    C(B600),
    C(B75),
    C(B921600),
    C(B9600),
    C(BRKINT),
    C(BS0),
    C(BS1),
    C(BSDLY),
    C(CBAUD),
    C(CBAUDEX),
    C(CDSUSP),
    C(CEOF),
    C(CEOL),
    C(CEOT),
    C(CERASE),
    C(CFLUSH),
    C(CIBAUD),
    C(CINTR),
    C(CKILL),
    C(CLNEXT),
    C(CLOCAL),
    C(CQUIT),
    C(CR0),
    C(CR1),
    C(CR2),
    C(CR3),
    C(CRDLY),
    C(CREAD),
    C(CRPRNT),
    C(CRTSCTS),
    C(CS5),
    C(CS6),
    C(CS7),
    C(CS8),
    C(CSIZE),
    C(CSTART),
    C(CSTOP),
    C(CSTOPB),
    C(CSUSP),
    C(CWERASE),
    C(ECHO),
    C(ECHOCTL),
    C(ECHOE),
    C(ECHOK),
    C(ECHOKE),
    C(ECHONL),
    C(ECHOPRT),
    C(EXTA),
    C(EXTB),
    C(FF0),
    C(FF1),
    C(FFDLY),
    C(FIOASYNC),
    C(FIOCLEX),
    C(FIONBIO),
    C(FIONCLEX),
    C(FIONREAD),
    C(FLUSHO),
    C(HUPCL),
    C(ICANON),
    C(ICRNL),
    C(IEXTEN),
    C(IGNBRK),
    C(IGNCR),
    C(IGNPAR),
    C(IMAXBEL),
    C(INLCR),
    C(INPCK),
    C(IOCSIZE_MASK),
    C(IOCSIZE_SHIFT),
    C(ISIG),
    C(ISTRIP),
    C(IUCLC),
    C(IXANY),
    C(IXOFF),
    C(IXON),
    C(NCC),
    C(NCCS),
    C(NL0),
    C(NL1),
    C(NLDLY),
    C(NOFLSH),
    C(N_MOUSE),
    C(N_PPP),
    C(N_SLIP),
    C(N_STRIP),
    C(N_TTY),
    C(OCRNL),
    C(OFDEL),
    C(OFILL),
    C(OLCUC),
    C(ONLCR),
    C(ONLRET),
    C(ONOCR),
    C(OPOST),
    C(PARENB),
    C(PARMRK),
    C(PARODD),
    C(PENDIN),
    C(TAB0),
    C(TAB1),
    C(TAB2),
    C(TAB3),
    C(TABDLY),
    C(TCFLSH),
    C(TCGETA),
    C(TCGETS),
    C(TCIFLUSH),
    C(TCIOFF),
    C(TCIOFLUSH),
    C(TCION),
    C(TCOFLUSH),
    C(TCOOFF),
    C(TCOON),
    C(TCSADRAIN),
    C(TCSAFLUSH),
    C(TCSANOW),
    C(TCSBRK),
    C(TCSBRKP),
    C(TCSETA),
    C(TCSETAF),
    C(TCSETAW),
    C(TCSETS),
    C(TCSETSF),
    C(TCSETSW),
    C(TCXONC),
    C(TIOCCONS),
    C(TIOCEXCL),
    C(TIOCGETD),
    C(TIOCGICOUNT),
    C(TIOCGLCKTRMIOS),
    C(TIOCGPGRP),
    C(TIOCGSERIAL),
    C(TIOCGSOFTCAR),
    C(TIOCGWINSZ),
    C(TIOCINQ),
    C(TIOCLINUX),
    C(TIOCMBIC),
    C(TIOCMBIS),
    C(TIOCMGET),
    C(TIOCMIWAIT),
    C(TIOCMSET),
    C(TIOCM_CAR),
    C(TIOCM_CD),
    C(TIOCM_CTS),
    C(TIOCM_DSR),
    C(TIOCM_DTR),
    C(TIOCM_LE),
    C(TIOCM_RI),
    C(TIOCM_RNG),
    C(TIOCM_RTS),
    C(TIOCM_SR),
    C(TIOCM_ST),
    C(TIOCNOTTY),
    C(TIOCNXCL),
    C(TIOCOUTQ),
    C(TIOCPKT),
    C(TIOCPKT_DATA),
    C(TIOCPKT_DOSTOP),
    C(TIOCPKT_FLUSHREAD),
    C(TIOCPKT_FLUSHWRITE),
    C(TIOCPKT_NOSTOP),
    C(TIOCPKT_START),
    C(TIOCPKT_STOP),
    C(TIOCSCTTY),
    C(TIOCSERCONFIG),
    C(TIOCSERGETLSR),
    C(TIOCSERGETMULTI),
    C(TIOCSERGSTRUCT),
    C(TIOCSERGWILD),
    C(TIOCSERSETMULTI),
    C(TIOCSERSWILD),
    C(TIOCSER_TEMT),
    C(TIOCSETD),
    C(TIOCSLCKTRMIOS),
    C(TIOCSPGRP),
    C(TIOCSSERIAL),
    C(TIOCSSOFTCAR),
    C(TIOCSTI),
    C(TIOCSWINSZ),
    C(TOSTOP),
    C(VDISCARD),
    C(VEOF),
    C(VEOL),
    C(VEOL2),
    C(VERASE),
    C(VINTR),
    C(VKILL),
    C(VLNEXT),
    C(VMIN),
    C(VQUIT),
    C(VREPRINT),
    C(VSTART),
    C(VSTOP),
    C(VSUSP),
    C(VSWTC),
    C(VT0),
    C(VT1),
    C(VTDLY),
    C(VTIME),
    C(VWERASE),
    C(XCASE),
    C(XTABS),
    C(IUTF8),
    C(EXTPROC),
    C(_POSIX_VDISABLE),
#undef C
    {"VSWTCH", ConstantSpec::kInt, VSWTC},
};

Status exec_termios(ThreadState& ts, ModuleObject* module) {
  MVM_TRY(Ref<> error, NewExceptionClass(ts, "error", "termios", ExcType(ts, Exc::kException)));
  return ModuleAdd(ts, module, "error", error);
}

}  // namespace

extern const ModuleSpec k_termios_module;
const ModuleSpec k_termios_module = {
    .name = "termios",
    .doc = "Settings of terminals.",
    .functions = kFunctions,
    .constants = kConstants,
    .exec = exec_termios,
};

}  // namespace minivm
