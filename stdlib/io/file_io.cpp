// FileIO: a file by its descriptor, without buffering.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>

#include "runtime/core/blocking.h"
#include "runtime/native/native_function.h"
#include "runtime/objects/bytearray_object.h"
#include "runtime/objects/bytes_object.h"
#include "runtime/objects/dict_object.h"
#include "runtime/objects/exception_object.h"
#include "runtime/objects/int_object.h"
#include "runtime/objects/str_object.h"
#include "runtime/objects/tuple_object.h"
#include "runtime/protocol/buffer.h"
#include "runtime/protocol/protocol.h"
#include "stdlib/fs_path.h"
#include "stdlib/io/io_types.h"
#include "stdlib/timeout.h"

namespace minivm::io {

namespace {

FileIoObject* Self(Value v) { return v.as<FileIoObject>(); }

Status CheckOpen(ThreadState& ts, FileIoObject* f) {
  if (f->fd < 0) return Raise(ts, Exc::kValueError, "I/O operation on closed file");
  return Ok();
}
Raised Unsupported(ThreadState& ts, const char* what) { return RaiseUnsupported(ts, what); }

const char* ModeText(const FileIoObject* f) {
  if (f->created) return f->readable ? "xb+" : "xb";
  if (f->appending) return f->readable ? "ab+" : "ab";
  if (f->readable) return f->writable ? "rb+" : "rb";
  return "wb";
}

Status ParseMode(ThreadState& ts, FileIoObject* f, std::string_view mode, int* flags) {
  int kinds = 0;
  bool plus = false, twice = false;
  *flags = 0;
  for (char c : mode) {
    switch (c) {
      case 'r':
        ++kinds;
        f->readable = true;
        break;
      case 'w':
        ++kinds;
        f->writable = true;
        *flags |= O_CREAT | O_TRUNC;
        break;
      case 'x':
        ++kinds;
        f->created = f->writable = true;
        *flags |= O_EXCL | O_CREAT;
        break;
      case 'a':
        ++kinds;
        f->appending = f->writable = true;
        *flags |= O_APPEND | O_CREAT;
        break;
      case '+':
        twice |= plus;
        plus = true;
        break;
      case 'b': break;
      default: {
        std::string text(mode);
        return Raise(ts, Exc::kValueError, "invalid mode: %s", text.c_str());
      }
    }
  }
  if (kinds != 1 || twice) {
    return Raise(ts, Exc::kValueError,
                 "Must have exactly one of create/read/write/append mode and at most one plus");
  }
  if (plus) f->readable = f->writable = true;
  *flags |= f->readable && f->writable ? O_RDWR : f->readable ? O_RDONLY : O_WRONLY;
  *flags |= O_CLOEXEC;
  return Ok();
}

Status CloseDescriptor(ThreadState& ts, FileIoObject* f) {
  int fd = std::exchange(f->fd, -1);
  if (fd < 0) return Ok();
  int r = Blocking(ts, [fd] { return ::close(fd); });
  if (r < 0 && errno != EINTR) return RaiseErrno(ts, errno);
  return Ok();
}

}  // namespace

Result<int64_t> FileRead(ThreadState& ts, FileIoObject* f, void* to, size_t n) {
  MVM_TRY_VOID(CheckOpen(ts, f));
  for (;;) {
    int fd = f->fd;
    // What can seek is there to be read.
    if (f->seekable <= 0) {
      MVM_TRY_VOID(AwaitReadable(ts, fd));
      MVM_TRY_VOID(CheckOpen(ts, f));
      fd = f->fd;
    }
    ssize_t got = Blocking(ts, [=] { return ::read(fd, to, n); });
    if (got >= 0) return int64_t{got};
    if (errno == EAGAIN || errno == EWOULDBLOCK) return int64_t{-1};
    if (errno != EINTR) return RaiseErrno(ts, errno);
    MVM_TRY_VOID(ServeInterrupted(ts));
  }
}

Result<int64_t> FileWrite(ThreadState& ts, FileIoObject* f, const void* from, size_t n) {
  MVM_TRY_VOID(CheckOpen(ts, f));
  for (;;) {
    int fd = f->fd;
    ssize_t put = Blocking(ts, [=] { return ::write(fd, from, n); });
    if (put >= 0) return int64_t{put};
    if (errno == EAGAIN || errno == EWOULDBLOCK) return int64_t{-1};
    if (errno != EINTR) return RaiseErrno(ts, errno);
    MVM_TRY_VOID(ServeInterrupted(ts));
  }
}

Result<int64_t> FileSeek(ThreadState& ts, FileIoObject* f, int64_t offset, int whence) {
  MVM_TRY_VOID(CheckOpen(ts, f));
  int fd = f->fd;
  off_t at = Blocking(ts, [=] { return ::lseek(fd, offset, whence); });
  if (f->seekable < 0) f->seekable = at >= 0;
  if (at < 0) return RaiseErrno(ts, errno);
  return int64_t{at};
}

bool FileSeekable(FileIoObject* f) {
  if (f->seekable < 0) f->seekable = ::lseek(f->fd, 0, SEEK_CUR) >= 0;
  return f->seekable > 0;
}

Status OpenFile(ThreadState& ts, FileIoObject* f, Value name, std::string_view mode, bool close_fd,
                Value opener) {
  if (f->fd >= 0) {
    if (f->close_fd) MVM_TRY_VOID(CloseDescriptor(ts, f));
    f->fd = -1;
  }
  f->created = f->readable = f->writable = f->appending = false;
  f->seekable = -1;
  f->close_fd = true;
  int flags;
  bool own = false;
  int fd = -1;
  PathArg path;
  if (IsTrue(ts, name) || IsFalse(ts, name)) {
    MVM_TRY_VOID(Warn(ts, Exc::kRuntimeWarning, 1, "bool is used as a file descriptor"));
  }
  if (IsInt(ts, name) ||
      (!IsStr(ts, name) && !IsBytes(ts, name) && TypeOf(ts, name)->operators->index)) {
    MVM_TRY(Ref<> index, Index(ts, name));
    int64_t n;
    if (!IntFitsInt64(index, &n) || n > INT_MAX || n < INT_MIN) {
      return Raise(ts, Exc::kOverflowError, "Python int too large to convert to C int");
    }
    if (n < 0) return Raise(ts, Exc::kValueError, "negative file descriptor");
    fd = static_cast<int>(n);
  } else {
    MVM_TRY_VOID(GetPath(ts, name, &path, nullptr));
  }
  MVM_TRY_VOID(ParseMode(ts, f, mode, &flags));
  if (fd >= 0) {
    f->fd = fd;
    f->close_fd = close_fd;
  } else {
    if (!close_fd) return Raise(ts, Exc::kValueError, "Cannot use closefd=False with file name");
    if (opener.is_null() || IsNone(ts, opener)) {
      do {
        fd = Blocking(ts, [&] { return ::open(path.c_str(), flags, 0666); });
        if (fd < 0 && errno == EINTR) MVM_TRY_VOID(ServeInterrupted(ts));
      } while (fd < 0 && errno == EINTR);
      if (fd < 0) return RaiseErrno(ts, errno, name);
    } else {
      MVM_TRY(Ref<> made, Call(ts, opener, name, Value::Int(flags)));
      if (!IsInt(ts, made)) return Raise(ts, Exc::kTypeError, "expected integer from opener");
      int64_t n;
      if (!IntFitsInt64(made, &n) || n > INT_MAX || n < INT_MIN) {
        return Raise(ts, Exc::kOverflowError, "Python int too large to convert to C int");
      }
      if (n < 0) return Raise(ts, Exc::kValueError, "opener returned %d", static_cast<int>(n));
      fd = static_cast<int>(n);
      ::fcntl(fd, F_SETFD, FD_CLOEXEC);
    }
    own = true;
    f->fd = fd;
  }
  struct stat st;
  int error = 0;
  if (::fstat(fd, &st) < 0) {
    if (errno == EBADF) error = EBADF;
  } else {
    if (S_ISDIR(st.st_mode)) error = EISDIR;
    f->block_size = st.st_blksize > 1 ? st.st_blksize : kDefaultBufferSize;
  }
  Status done = Ok();
  if (error != 0) {
    done = error == EBADF ? RaiseErrno(ts, error) : RaiseErrno(ts, error, name);
  } else {
    done = EnterAttribute(ts, Value(f), kFileIoType, MVM_NAME(ts, name), name);
  }
  if (done.raised()) {
    f->fd = -1;
    if (own) ::close(fd);
    return kRaised;
  }
  if (f->appending) {
    Result<int64_t> at = FileSeek(ts, f, 0, SEEK_END);
    if (at.raised()) ClearPending(ts);  // not seekable: fine
  }
  return Ok();
}

namespace {

// FileIO(file, mode='r', closefd=True, opener=None)
Result<> file_init(ThreadState& ts, Args args) {
  MVM_TRY(StrObject * mode, ExpectStr(ts, args[2], "FileIO() argument 'mode'"));
  MVM_TRY(bool close_fd, Truth(ts, args[3]));
  std::string text = ToUtf8(mode);
  MVM_TRY_VOID(OpenFile(ts, Self(args[0]), args[1], text, close_fd, args[4]));
  return None(ts);
}

Result<> file_read_all(ThreadState& ts, FileIoObject* f) {
  MVM_TRY_VOID(CheckOpen(ts, f));
  struct stat st;
  size_t expect = static_cast<size_t>(kDefaultBufferSize);
  off_t at = ::lseek(f->fd, 0, SEEK_CUR);
  if (::fstat(f->fd, &st) == 0 && at >= 0 && st.st_size > at)
    expect = static_cast<size_t>(st.st_size - at) + 1;
  MVM_TRY_VOID(CheckRoom(ts, expect));
  MVM_TRY(Ref<BytearrayObject> all, NewBytearrayRaw(ts, expect));
  size_t have = 0;
  for (;;) {
    if (have == all->size) {
      size_t more = all->size < 65536 ? all->size : all->size / 8 + 65536;
      MVM_TRY_VOID(BytearrayResize(ts, all, all->size + more));
    }
    all->exports++;
    Result<int64_t> got = FileRead(ts, f, all->data() + have, all->size - have);
    all->exports--;
    if (got.raised()) return kRaised;
    int64_t n = got.Take();
    if (n < 0 && have == 0) return None(ts);
    if (n <= 0) break;
    have += static_cast<size_t>(n);
  }
  return NewBytes(ts, all->view().substr(0, have));
}

Result<> file_readall(ThreadState& ts, Args args) {
  FileIoObject* f = Self(args[0]);
  MVM_TRY_VOID(CheckOpen(ts, f));
  if (!f->readable) return Unsupported(ts, "File not open for reading");
  return file_read_all(ts, f);
}

Result<> file_read(ThreadState& ts, Args args) {
  FileIoObject* f = Self(args[0]);
  MVM_TRY_VOID(CheckOpen(ts, f));
  if (!f->readable) return Unsupported(ts, "File not open for reading");
  MVM_TRY(int64_t n, SizeArgument(ts, args[1]));
  if (n < 0) return file_read_all(ts, f);
  if (n > INT32_MAX) n = INT32_MAX;
  MVM_TRY(Ref<BytesObject> b, NewBytesRaw(ts, static_cast<size_t>(n)));
  MVM_TRY(int64_t got, FileRead(ts, f, b->data(), static_cast<size_t>(n)));
  if (got < 0) return None(ts);
  if (got == n) return b;
  return NewBytes(ts, b->view().substr(0, static_cast<size_t>(got)));
}

Result<> file_readinto(ThreadState& ts, Args args) {
  FileIoObject* f = Self(args[0]);
  MVM_TRY_VOID(CheckOpen(ts, f));
  if (!f->readable) return Unsupported(ts, "File not open for reading");
  ByteView view;
  MVM_TRY_VOID(view.GetWritable(
      ts, args[1], "readinto() argument 1 must be read-write bytes-like object, not %T"));
  MVM_TRY(int64_t got, FileRead(ts, f, view.mutable_data(), view.size()));
  if (got < 0) return None(ts);
  return Small(got);
}

Result<> file_write(ThreadState& ts, Args args) {
  FileIoObject* f = Self(args[0]);
  MVM_TRY_VOID(CheckOpen(ts, f));
  if (!f->writable) return Unsupported(ts, "File not open for writing");
  ByteView data;
  MVM_TRY_VOID(data.Get(ts, args[1]));
  MVM_TRY(int64_t put, FileWrite(ts, f, data.data(), data.size()));
  if (put < 0) return None(ts);
  return Small(put);
}

Result<> file_seek(ThreadState& ts, Args args) {
  MVM_TRY_VOID(CheckOpen(ts, Self(args[0])));
  MVM_TRY(int64_t offset, OffsetArgument(ts, args[1]));
  MVM_TRY(int64_t whence, AsInt64(ts, args[2]));
  MVM_TRY(int64_t at, FileSeek(ts, Self(args[0]), offset, static_cast<int>(whence)));
  return Small(at);
}
Result<> file_tell(ThreadState& ts, Args args) {
  MVM_TRY(int64_t at, FileSeek(ts, Self(args[0]), 0, SEEK_CUR));
  return Small(at);
}

Result<> file_truncate(ThreadState& ts, Args args) {
  FileIoObject* f = Self(args[0]);
  MVM_TRY_VOID(CheckOpen(ts, f));
  if (!f->writable) return Unsupported(ts, "File not open for writing");
  int64_t size;
  if (IsNone(ts, args[1])) {
    MVM_TRY(size, FileSeek(ts, f, 0, SEEK_CUR));
  } else {
    MVM_TRY(size, OffsetArgument(ts, args[1]));
  }
  int fd = f->fd;
  if (Blocking(ts, [=] { return ::ftruncate(fd, size); }) < 0) return RaiseErrno(ts, errno);
  return Small(size);
}

Result<> file_close(ThreadState& ts, Args args) {
  FileIoObject* f = Self(args[0]);
  Ref<> error;  // flush()'s: it does not keep the descriptor open
  if (!f->base_closed) {
    const bool flushes = !IsOur(ts, args[0], kFileIoType) ||
                         (f->dict && !DictGetStr(ts, f->dict, MVM_NAME(ts, flush)).is_null());
    if (flushes) {
      Result<> flushed = CallMethod(ts, args[0], MVM_NAME(ts, flush));
      if (flushed.raised()) {
        error = TakePending(ts);
      } else {
        Ref<> dropped = flushed.Take();
      }
    }
    f->base_closed = true;
  }
  auto finish = [&]() -> Result<> {
    if (!error) return None(ts);
    RestorePending(ts, std::move(error));
    return kRaised;
  };
  if (!f->close_fd) {
    f->fd = -1;
    return finish();
  }
  if (f->finalizing && f->fd >= 0) {
    Status warned = Warn(ts, Exc::kResourceWarning, 1, "unclosed file %R", args[0]);
    if (warned.raised()) {
      if (PendingIs(ts, Exc::kWarning)) {
        WriteUnraisable(ts, args[0]);
      } else {
        ClearPending(ts);
      }
    }
  }
  if (CloseDescriptor(ts, f).raised()) {
    if (error && IsException(ts, ts.pending)) {
      ExceptionObject* e = ts.pending.as<ExceptionObject>();
      if (e->context.is_null()) e->context = error.Release();
    }
    return kRaised;
  }
  return finish();
}

Result<> file_fileno(ThreadState& ts, Args args) {
  MVM_TRY_VOID(CheckOpen(ts, Self(args[0])));
  return Small(Self(args[0])->fd);
}
Result<> file_isatty(ThreadState& ts, Args args) {
  MVM_TRY_VOID(CheckOpen(ts, Self(args[0])));
  return Bool(ts, ::isatty(Self(args[0])->fd));
}
Result<> file_readable(ThreadState& ts, Args args) {
  MVM_TRY_VOID(CheckOpen(ts, Self(args[0])));
  return Bool(ts, Self(args[0])->readable);
}
Result<> file_writable(ThreadState& ts, Args args) {
  MVM_TRY_VOID(CheckOpen(ts, Self(args[0])));
  return Bool(ts, Self(args[0])->writable);
}
Result<> file_seekable(ThreadState& ts, Args args) {
  FileIoObject* f = Self(args[0]);
  MVM_TRY_VOID(CheckOpen(ts, f));
  return Bool(ts, FileSeekable(f));
}
Result<> file_dealloc_warn(ThreadState& ts, Args args) {
  FileIoObject* f = Self(args[0]);
  if (f->fd >= 0 && f->close_fd &&
      Warn(ts, Exc::kResourceWarning, 1, "unclosed file %R", args[1]).raised()) {
    if (!PendingIs(ts, Exc::kWarning)) return kRaised;
    WriteUnraisable(ts, args[0]);
  }
  return None(ts);
}
Result<> file_no_pickle(ThreadState& ts, Args args) {
  return Raise(ts, Exc::kTypeError, "cannot pickle '%U' instances",
               Value(TypeOf(ts, args[0])->name));
}

Result<> file_get_closed(ThreadState& ts, Value self) { return Bool(ts, Self(self)->fd < 0); }
Result<> file_get_closefd(ThreadState& ts, Value self) { return Bool(ts, Self(self)->close_fd); }
Result<> file_get_mode(ThreadState& ts, Value self) { return NewStr(ts, ModeText(Self(self))); }
Result<> file_get_blksize(ThreadState& ts, Value self) { return Small(Self(self)->block_size); }
Status file_set_blksize(ThreadState& ts, Value self, Value v) {
  if (v.is_null()) return Raise(ts, Exc::kAttributeError, "_blksize");
  MVM_TRY(int64_t n, AsInt64(ts, v));
  Self(self)->block_size = n;
  return Ok();
}
Result<> file_get_finalizing(ThreadState& ts, Value self) {
  return Bool(ts, Self(self)->finalizing);
}
Status file_set_finalizing(ThreadState& ts, Value self, Value v) {
  Self(self)->finalizing = !v.is_null() && IsTrue(ts, v);
  return Ok();
}

Result<> file_repr(ThreadState& ts, Value self) {
  FileIoObject* f = Self(self);
  if (f->fd < 0) return Format(ts, "<%N [closed]>", TypeOf(ts, self));
  MVM_TRY(Ref<> name, NameForRepr(ts, self));
  const char* close_fd = f->close_fd ? "True" : "False";
  if (name.is_absent()) {
    return Format(ts, "<%N fd=%d mode='%s' closefd=%s>", TypeOf(ts, self), f->fd, ModeText(f),
                  close_fd);
  }
  RecursionGuard guard(ts, " while getting the repr of an object");
  if (!guard) return kRaised;
  return Format(ts, "<%N name=%R mode='%s' closefd=%s>", TypeOf(ts, self), name.get(), ModeText(f),
                close_fd);
}

const MethodSpec kFileMethods[] = {
    {"__reduce__(self, /)", file_no_pickle},
    {"__reduce_ex__(self, protocol, /)", file_no_pickle},
    {"_dealloc_warn(self, source, /)", file_dealloc_warn},
    {"close(self, /)", file_close,
     "Close the descriptor, unless closefd is false. Any use afterwards is a ValueError."},
    {"fileno(self, /)", file_fileno, "The descriptor's number."},
    {"isatty(self, /)", file_isatty, "Whether a terminal is at the other end."},
    {"read(self, size=-1, /)", file_read,
     "Up to size bytes by one system call, all if size is negative; b'' at the end, None where it "
     "would block."},
    {"readable(self, /)", file_readable, "Whether the mode lets it read."},
    {"readall(self, /)", file_readall,
     "All bytes up to the end; None where it would block at once."},
    {"readinto(self, buffer, /)", file_readinto,
     "Read by one system call into a buffer; returns how many bytes, None where it would block."},
    {"seek(self, pos, whence=0, /)", file_seek,
     "Go to offset bytes from the start, the position (whence 1) or the end (2); returns where "
     "that is."},
    {"seekable(self, /)", file_seekable, "Whether the system can seek in it."},
    {"tell(self, /)", file_tell, "Current file position."},
    {"truncate(self, size=None, /)", file_truncate,
     "Make the file size bytes long, by default up to the position, which stays; returns size."},
    {"writable(self, /)", file_writable, "Whether the mode lets it write."},
    {"write(self, b, /)", file_write,
     "Write by one system call; returns how many bytes, maybe not all, or None where it would "
     "block."},
};
const GetSetSpec kFileGetSets[] = {
    {"_blksize", file_get_blksize, file_set_blksize},
    {"_finalizing", file_get_finalizing, file_set_finalizing},
    {"closed", file_get_closed, nullptr, "True if the file is closed"},
    {"closefd", file_get_closefd, nullptr, "Whether close() closes the descriptor too"},
    {"mode", file_get_mode, nullptr, "How it is open: rb, rb+, wb, ab, xb and the like"},
};

}  // namespace

const TypeSpec kFileIoType = {
    .name = "_io.FileIO",
    .doc = "Open a file.",
    .base = &kRawIoBaseType,
    .flags = kTypeBase,
    .size = sizeof(FileIoObject),
    .gc = GcHooksOf<FileIoObject>(),
    .slots = {.repr = file_repr,
              .new_ = [](ThreadState& ts, TypeObject* cls, Args) -> Result<> {
                MVM_TRY(Ref<> o, AllocInstance(ts, cls));
                FileIoObject* f = o.as<FileIoObject>();
                f->fd = -1;
                f->seekable = -1;
                f->close_fd = true;
                f->block_size = kDefaultBufferSize;
                return o;
              }},
    .init = {"FileIO(self, file, mode='r', closefd=True, opener=None)", file_init},
    .methods = kFileMethods,
    .getsets = kFileGetSets,
};

}  // namespace minivm::io
