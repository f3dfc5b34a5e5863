// The module mmap: files and anonymous memory as objects that are like bytearrays and like files.
//
// A file may be truncated under its mapping, and touching what is gone kills the process. So every
// access through the object looks at the file's size first. Views that were exported before cannot
// be guarded so (docs/differences.md).
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cstring>

#include "runtime/objects/slice_object.h"
#include "runtime/protocol/buffer.h"
#include "stdlib/posix/posix_support.h"

namespace minivm {

namespace {

enum Access : int { kAccessDefault = 0, kAccessRead = 1, kAccessWrite = 2, kAccessCopy = 3 };

// Invariants: data is null when closed; position <= size; held counts against the VM's cap, and is
// the size of a mapping whose pages are memory of this process (anonymous or private), else 0.
class MmapObject : public Object {
 public:
  [[maybe_unused]] static constexpr bool kNeverInCycle = true;
  uint8_t* data = nullptr;
  int64_t size = 0, position = 0, offset = 0;
  int64_t exports = 0;
  int fd = -1;  // a duplicate; -1: anonymous, or trackfd=False
  int flags = 0, access = 0;
  bool tracked = true;
  size_t held = 0;
  template <class V>
  void VisitRefs(V&&) {}
  void FreeBuffers(Heap& heap) { Unmap(heap); }
  bool CountsAsMemory() const { return (flags & (MAP_ANONYMOUS | MAP_PRIVATE)) != 0; }
  Status Hold(ThreadState& ts, size_t more) {
    if (!ts.heap().Charge(more)) return RaiseMemoryError(ts);
    held += more;
    return Ok();
  }
  void GiveBack(Heap& heap, size_t bytes) {
    heap.Account(-static_cast<ptrdiff_t>(bytes));
    held -= bytes;
  }
  void Unmap(Heap& heap) {
    GiveBack(heap, held);
    if (data != nullptr) {
      munmap(data, static_cast<size_t>(size));
      data = nullptr;
      if (fd >= 0) ::close(fd);
      fd = -1;
    }
  }
};

Result<MmapObject*> Open(ThreadState& ts, Value self) {
  MmapObject* m = self.as<MmapObject>();
  if (m->data == nullptr) return Raise(ts, Exc::kValueError, "mmap closed or invalid");
  return m;
}

// [start, start + n) may be touched: the file still reaches so far.
Status CheckBacking(ThreadState& ts, MmapObject* m, int64_t start, int64_t n) {
  if (m->fd < 0 || n == 0) return Ok();
  struct stat st;
  if (fstat(m->fd, &st) < 0) return RaiseErrno(ts, errno);
  if (!S_ISREG(st.st_mode)) return Ok();
  const int64_t page = sysconf(_SC_PAGESIZE);
  const int64_t backed = (st.st_size + page - 1) / page * page;
  if (m->offset + start + n <= backed) return Ok();
  return Raise(ts, Exc::kValueError, "mmap length is greater than file size");
}

Status CheckWritable(ThreadState& ts, MmapObject* m) {
  if (m->access != kAccessRead) return Ok();
  return Raise(ts, Exc::kTypeError, "mmap can't modify a readonly memory map.");
}

Result<> mmap_new(ThreadState& ts, Args args) {
  MVM_TRY(int fd, AsCInt(ts, args[1]));
  MVM_TRY(int64_t length, AsOffset(ts, args[2]));
  MVM_TRY(int flags, AsCInt(ts, args[3]));
  MVM_TRY(int prot, AsCInt(ts, args[4]));
  MVM_TRY(int access, AsCInt(ts, args[5]));
  MVM_TRY(int64_t offset, AsOffset(ts, args[6]));
  MVM_TRY(bool tracked, Truth(ts, args[7]));
  if (length < 0) {
    return Raise(ts, Exc::kOverflowError, "memory mapped length must be positive");
  }
  if (offset < 0) {
    return Raise(ts, Exc::kOverflowError, "memory mapped offset must be positive");
  }
  if (access != kAccessDefault && (flags != MAP_SHARED || prot != (PROT_READ | PROT_WRITE))) {
    return Raise(ts, Exc::kValueError, "mmap can't specify both access and flags, prot.");
  }
  switch (access) {
    case kAccessRead: prot = PROT_READ; break;
    case kAccessWrite: break;
    case kAccessCopy: flags = MAP_PRIVATE; break;
    case kAccessDefault:
      if (!(prot & PROT_WRITE)) {
        access = kAccessRead;
      } else if (!(prot & PROT_READ)) {
        access = kAccessWrite;
      }
      break;
    default: return Raise(ts, Exc::kValueError, "mmap invalid access parameter.");
  }
  // Always readable, and not at an address of the script's choice.
  prot |= PROT_READ;
  flags &= ~MAP_FIXED;
  if (fd != -1) {
    struct stat st;
    if (Blocking(ts, [&] { return fstat(fd, &st); }) < 0) return RaiseErrno(ts, errno);
    if (S_ISREG(st.st_mode)) {
      if (length == 0) {
        if (st.st_size == 0) return Raise(ts, Exc::kValueError, "cannot mmap an empty file");
        if (offset >= st.st_size) {
          return Raise(ts, Exc::kValueError, "mmap offset is greater than file size");
        }
        length = st.st_size - offset;
      } else if (offset > st.st_size || st.st_size - offset < length) {
        return Raise(ts, Exc::kValueError, "mmap length is greater than file size");
      }
    }
  } else {
    flags |= MAP_ANONYMOUS;
  }
  MVM_TRY(Ref<> made, AllocInstance(ts, args.self<TypeObject>()));
  MmapObject* m = made.as<MmapObject>();
  m->fd = -1;
  m->flags = flags;
  if (m->CountsAsMemory()) MVM_TRY_VOID(m->Hold(ts, static_cast<size_t>(length)));
  if (fd != -1 && tracked) {
    m->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (m->fd < 0) return RaiseErrno(ts, errno);
  }
  void* data = Blocking(
      ts, [&] { return ::mmap(nullptr, static_cast<size_t>(length), prot, flags, fd, offset); });
  if (data == MAP_FAILED) {
    int error = errno;
    if (m->fd >= 0) ::close(m->fd);
    m->fd = -1;
    return RaiseErrno(ts, error);
  }
  m->data = static_cast<uint8_t*>(data);
  m->size = length;
  m->offset = offset;
  m->access = access;
  m->tracked = tracked || fd == -1;
  return made;
}

Result<> mmap_repr(ThreadState& ts, Value self) {
  MmapObject* m = self.as<MmapObject>();
  if (m->data == nullptr) return Format(ts, "<%T closed=True>", self);
  constexpr const char* kNames[] = {"ACCESS_DEFAULT", "ACCESS_READ", "ACCESS_WRITE", "ACCESS_COPY"};
  return Format(ts, "<%T closed=False, access=%s, length=%ld, pos=%ld, offset=%ld>", self,
                kNames[m->access], static_cast<long>(m->size), static_cast<long>(m->position),
                static_cast<long>(m->offset));
}

Result<> mmap_close(ThreadState& ts, Args args) {
  MmapObject* m = args.self<MmapObject>();
  if (m->exports > 0) {
    return Raise(ts, Exc::kBufferError, "cannot close exported pointers exist");
  }
  m->Unmap(ts.heap());
  return None(ts);
}
Result<> mmap_closed(ThreadState& ts, Value self) {
  return Bool(ts, self.as<MmapObject>()->data == nullptr);
}
Result<> mmap_enter(ThreadState& ts, Args args) {
  MVM_TRY_VOID(Open(ts, args[0]));
  return Result<>::Borrow(args[0]);
}

// ---- as a sequence ----

Result<int64_t> mmap_len(ThreadState& ts, Value self) {
  MVM_TRY(MmapObject * m, Open(ts, self));
  return m->size;
}

// An index in range.
Result<int64_t> ItemIndex(ThreadState& ts, Value self, Value key) {
  if (TypeOf(ts, key)->operators->index == nullptr) {
    return Raise(ts, Exc::kTypeError, "mmap indices must be integers");
  }
  MVM_TRY(int64_t i, IndexAsInt64(ts, key, Exc::kIndexError));
  MVM_TRY(MmapObject * m, Open(ts, self));
  if (i < 0) i += m->size;
  if (i < 0 || i >= m->size) return Raise(ts, Exc::kIndexError, "mmap index out of range");
  MVM_TRY_VOID(CheckBacking(ts, m, i, 1));
  return i;
}

// Start, step and count of a slice, and that what it covers may be touched.
struct SliceRange {
  int64_t start, stop, step, count;
  Status Get(ThreadState& ts, Value self, Value key) {
    MVM_TRY_VOID(SliceUnpack(ts, key.as<SliceObject>(), &start, &stop, &step));
    MVM_TRY(MmapObject * m, Open(ts, self));
    count = SliceAdjust(m->size, &start, &stop, step);
    if (count == 0) return Ok();
    int64_t last = start + (count - 1) * step;
    int64_t low = std::min(start, last), high = std::max(start, last);
    return CheckBacking(ts, m, low, high - low + 1);
  }
};

Result<> mmap_getitem(ThreadState& ts, Value self, Value key) {
  if (!IsExact(key, TypeId::kSlice)) {
    MVM_TRY(int64_t i, ItemIndex(ts, self, key));
    return Small(self.as<MmapObject>()->data[i]);
  }
  SliceRange r;
  MVM_TRY_VOID(r.Get(ts, self, key));
  MVM_TRY(Ref<BytesObject> out, NewBytesRaw(ts, static_cast<size_t>(r.count)));
  MVM_TRY(MmapObject * m, Open(ts, self));
  if (r.step == 1) {
    std::memcpy(out->data(), m->data + r.start, static_cast<size_t>(r.count));
  } else {
    for (int64_t i = 0; i < r.count; ++i) out->data()[i] = m->data[r.start + i * r.step];
  }
  return out;
}

Status mmap_setitem(ThreadState& ts, Value self, Value key, Value value) {
  MVM_TRY(MmapObject * m, Open(ts, self));
  MVM_TRY_VOID(CheckWritable(ts, m));
  if (!IsExact(key, TypeId::kSlice)) {
    MVM_TRY(int64_t i, ItemIndex(ts, self, key));
    if (value.is_null()) {
      return Raise(ts, Exc::kTypeError, "mmap doesn't support item deletion");
    }
    if (TypeOf(ts, value)->operators->index == nullptr) {
      return Raise(ts, Exc::kTypeError, "mmap item value must be an int");
    }
    MVM_TRY(Ref<> n, Index(ts, value));
    int64_t byte;
    if (!IntFitsInt64(n, &byte) || byte < 0 || byte > 255) {
      return Raise(ts, Exc::kValueError, "mmap item value must be in range(0, 256)");
    }
    MVM_TRY(m, Open(ts, self));
    if (i < m->size) m->data[i] = static_cast<uint8_t>(byte);
    return Ok();
  }
  if (value.is_null()) {
    return Raise(ts, Exc::kTypeError, "mmap object doesn't support slice deletion");
  }
  ByteView view;
  MVM_TRY_VOID(view.Get(ts, value));
  SliceRange r;
  MVM_TRY_VOID(r.Get(ts, self, key));
  if (static_cast<int64_t>(view.size()) != r.count) {
    return Raise(ts, Exc::kIndexError, "mmap slice assignment is wrong size");
  }
  MVM_TRY(m, Open(ts, self));
  if (r.step == 1) {
    std::memmove(m->data + r.start, view.data(), static_cast<size_t>(r.count));
  } else {
    for (int64_t i = 0; i < r.count; ++i) m->data[r.start + i * r.step] = view.data()[i];
  }
  return Ok();
}

// Iterating yields bytes of length one, as CPython has it.
class MmapIterator : public Object {
 public:
  Value map;
  int64_t next = 0;
  template <class V>
  void VisitRefs(V&& v) {
    v(map);
  }
};
Result<> iterator_iter(ThreadState& ts, Value self) { return Result<>::Borrow(self); }
Result<> iterator_next(ThreadState& ts, Value self) {
  MmapIterator* it = self.as<MmapIterator>();
  MVM_TRY(MmapObject * m, Open(ts, it->map));
  if (it->next >= m->size) return Result<>::Done();
  MVM_TRY_VOID(CheckBacking(ts, m, it->next, 1));
  return NewBytes(ts, {reinterpret_cast<const char*>(m->data + it->next++), 1});
}
const TypeSpec kMmapIteratorType = {
    .name = "mmap.iterator",
    .flags = kTypeNoNew,
    .size = sizeof(MmapIterator),
    .gc = GcHooksOf<MmapIterator>(),
    .slots = {.iter = iterator_iter, .next = iterator_next},
};
Result<> mmap_iter(ThreadState& ts, Value self) {
  MVM_TRY(TypeObject * type, TypeForSpec(ts, kMmapIteratorType));
  MVM_TRY(Ref<> made, AllocInstance(ts, type));
  made.as<MmapIterator>()->map = Ref<>::Borrow(self).Release();
  return made;
}

void ReleaseView(BufferView* view) { --view->object.as<MmapObject>()->exports; }
Status mmap_buffer(ThreadState& ts, Value self, BufferView* out, bool writable) {
  MVM_TRY(MmapObject * m, Open(ts, self));
  if (writable && m->access == kAccessRead) {
    return Raise(ts, Exc::kBufferError, "Object is not writable.");
  }
  MVM_TRY_VOID(CheckBacking(ts, m, 0, m->size));
  FillSimple(out, self, m->data, m->size, m->access == kAccessRead);
  ++m->exports;
  out->release = ReleaseView;
  return Ok();
}

// ---- as a file ----

Result<> mmap_read(ThreadState& ts, Args args) {
  MVM_TRY_VOID(Open(ts, args[0]));
  int64_t n = -1;
  if (!IsNone(ts, args[1])) {
    if (TypeOf(ts, args[1])->operators->index == nullptr) {
      return Raise(ts, Exc::kTypeError, "argument should be integer or None, not '%T'", args[1]);
    }
    MVM_TRY(n, AsOffset(ts, args[1]));
  }
  MVM_TRY(MmapObject * m, Open(ts, args[0]));
  const int64_t left = m->size - m->position;
  if (n < 0 || n > left) n = left;
  MVM_TRY_VOID(CheckBacking(ts, m, m->position, n));
  MVM_TRY(Ref<BytesObject> out, NewBytes(ts, {reinterpret_cast<const char*>(m->data + m->position),
                                              static_cast<size_t>(n)}));
  m->position += n;
  return out;
}
Result<> mmap_read_byte(ThreadState& ts, Args args) {
  MVM_TRY(MmapObject * m, Open(ts, args[0]));
  if (m->position >= m->size) return Raise(ts, Exc::kValueError, "read byte out of range");
  MVM_TRY_VOID(CheckBacking(ts, m, m->position, 1));
  return Small(m->data[m->position++]);
}
Result<> mmap_readline(ThreadState& ts, Args args) {
  MVM_TRY(MmapObject * m, Open(ts, args[0]));
  const int64_t left = m->size - m->position;
  if (left == 0) return NewBytes(ts, "");
  MVM_TRY_VOID(CheckBacking(ts, m, m->position, left));
  const uint8_t* start = m->data + m->position;
  const void* end = std::memchr(start, '\n', static_cast<size_t>(left));
  int64_t n = end == nullptr ? left : static_cast<const uint8_t*>(end) - start + 1;
  MVM_TRY(Ref<BytesObject> out,
          NewBytes(ts, {reinterpret_cast<const char*>(start), static_cast<size_t>(n)}));
  m->position += n;
  return out;
}
Result<> mmap_write(ThreadState& ts, Args args) {
  MVM_TRY_VOID(Open(ts, args[0]));
  ByteView view;
  MVM_TRY_VOID(view.Get(ts, args[1]));
  MVM_TRY(MmapObject * m, Open(ts, args[0]));
  MVM_TRY_VOID(CheckWritable(ts, m));
  const int64_t n = static_cast<int64_t>(view.size());
  if (n > m->size - m->position) return Raise(ts, Exc::kValueError, "data out of range");
  MVM_TRY_VOID(CheckBacking(ts, m, m->position, n));
  std::memmove(m->data + m->position, view.data(), view.size());
  m->position += n;
  return Small(n);
}
Result<> mmap_write_byte(ThreadState& ts, Args args) {
  MVM_TRY_VOID(Open(ts, args[0]));
  MVM_TRY(Ref<> i, Index(ts, args[1]));
  int64_t byte;
  if (!IntFitsInt64(i, &byte) || byte < 0 || byte > 255) {
    return Raise(ts, Exc::kOverflowError, "unsigned byte integer is %s",
                 IntSign(i) < 0 ? "less than minimum" : "greater than maximum");
  }
  MVM_TRY(MmapObject * m, Open(ts, args[0]));
  MVM_TRY_VOID(CheckWritable(ts, m));
  if (m->position >= m->size) return Raise(ts, Exc::kValueError, "write byte out of range");
  MVM_TRY_VOID(CheckBacking(ts, m, m->position, 1));
  m->data[m->position++] = static_cast<uint8_t>(byte);
  return None(ts);
}
Result<> mmap_seek(ThreadState& ts, Args args) {
  MVM_TRY_VOID(Open(ts, args[0]));
  MVM_TRY(int64_t distance, AsOffset(ts, args[1]));
  MVM_TRY(int whence, AsCInt(ts, args[2]));
  MVM_TRY(MmapObject * m, Open(ts, args[0]));
  int64_t base;
  switch (whence) {
    case 0: base = 0; break;
    case 1: base = m->position; break;
    case 2: base = m->size; break;
    default: return Raise(ts, Exc::kValueError, "unknown seek type");
  }
  int64_t where;
  if (__builtin_add_overflow(base, distance, &where) || where < 0 || where > m->size) {
    return Raise(ts, Exc::kValueError, "seek out of range");
  }
  m->position = where;
  return NewInt(ts, where);
}
Result<> mmap_tell(ThreadState& ts, Args args) {
  MVM_TRY(MmapObject * m, Open(ts, args[0]));
  return NewInt(ts, m->position);
}
Result<> mmap_seekable(ThreadState& ts, Args args) { return Bool(ts, true); }

// ---- searching and moving ----

Result<> Find(ThreadState& ts, Args args, bool reverse) {
  MVM_TRY_VOID(Open(ts, args[0]));
  ByteView view;
  MVM_TRY_VOID(view.Get(ts, args[1]));
  int64_t start = 0, end = 0;
  if (args.has(2)) {
    MVM_TRY(start, AsOffset(ts, args[2]));
  }
  if (args.has(3)) {
    MVM_TRY(end, AsOffset(ts, args[3]));
  }
  MVM_TRY(MmapObject * m, Open(ts, args[0]));
  if (!args.has(2)) start = m->position;
  if (!args.has(3)) end = m->size;
  auto clip = [m](int64_t i) { return std::clamp<int64_t>(i < 0 ? i + m->size : i, 0, m->size); };
  start = clip(start);
  end = clip(end);
  if (end < start) return Small(-1);
  MVM_TRY_VOID(CheckBacking(ts, m, start, end - start));
  MVM_TRY_VOID(Charge(ts, (end - start) / 16));
  std::string_view area(reinterpret_cast<const char*>(m->data + start),
                        static_cast<size_t>(end - start));
  size_t at;
  if (reverse) {
    at = area.rfind(view.view());
  } else if (view.size() == 0) {
    at = 0;
  } else {
    const void* found = memmem(area.data(), area.size(), view.data(), view.size());
    at = found == nullptr ? std::string_view::npos
                          : static_cast<size_t>(static_cast<const char*>(found) - area.data());
  }
  return at == std::string_view::npos ? Small(-1) : NewInt(ts, start + static_cast<int64_t>(at));
}
Result<> mmap_find(ThreadState& ts, Args args) { return Find(ts, args, false); }
Result<> mmap_rfind(ThreadState& ts, Args args) { return Find(ts, args, true); }

Result<> mmap_move(ThreadState& ts, Args args) {
  MVM_TRY(int64_t to, AsOffset(ts, args[1]));
  MVM_TRY(int64_t from, AsOffset(ts, args[2]));
  MVM_TRY(int64_t n, AsOffset(ts, args[3]));
  MVM_TRY(MmapObject * m, Open(ts, args[0]));
  MVM_TRY_VOID(CheckWritable(ts, m));
  if (to < 0 || from < 0 || n < 0 || m->size - to < n || m->size - from < n) {
    return Raise(ts, Exc::kValueError, "source, destination, or count out of range");
  }
  MVM_TRY_VOID(CheckBacking(ts, m, std::max(to, from), n));
  std::memmove(m->data + to, m->data + from, static_cast<size_t>(n));
  return None(ts);
}

// ---- the mapping itself ----

Result<> mmap_size(ThreadState& ts, Args args) {
  MVM_TRY(MmapObject * m, Open(ts, args[0]));
  if (m->fd < 0) return m->tracked ? NewInt(ts, m->size) : Result<>(RaiseErrno(ts, EBADF));
  struct stat st;
  if (fstat(m->fd, &st) < 0) return RaiseErrno(ts, errno);
  return NewInt(ts, st.st_size);
}

Result<> mmap_flush(ThreadState& ts, Args args) {
  MVM_TRY(int64_t offset, AsOffset(ts, args[1]));
  MVM_TRY(int64_t n, AsOffset(ts, args[2]));
  MVM_TRY(MmapObject * m, Open(ts, args[0]));
  if (n < 0) n = m->size - offset;
  if (offset < 0 || n < 0 || m->size - offset < n) {
    return Raise(ts, Exc::kValueError, "flush values out of range");
  }
  if (m->access == kAccessRead || m->access == kAccessCopy) return None(ts);
  uint8_t* data = m->data + offset;
  return DoneOrErrno(ts,
                     Blocking(ts, [&] { return msync(data, static_cast<size_t>(n), MS_SYNC); }));
}

Result<> mmap_madvise(ThreadState& ts, Args args) {
  MVM_TRY(int option, AsCInt(ts, args[1]));
  MVM_TRY(int64_t start, AsOffset(ts, args[2]));
  MVM_TRY(MmapObject * m, Open(ts, args[0]));
  int64_t n = m->size;
  if (args.has(3)) {
    MVM_TRY(n, AsOffset(ts, args[3]));
    MVM_TRY(m, Open(ts, args[0]));
  }
  // What takes pages away from the process would kill it at the next access.
  constexpr int kSoftOffline = 101, kGuardInstall = 102;
  if (option == MADV_HWPOISON || option == kSoftOffline || option == kGuardInstall) {
    return RaiseErrno(ts, EPERM);
  }
  if (start < 0 || start >= m->size) {
    return Raise(ts, Exc::kValueError, "madvise start out of bounds");
  }
  if (n < 0) return Raise(ts, Exc::kValueError, "madvise length invalid");
  if (n > m->size - start) n = m->size - start;
  return DoneOrErrno(ts, madvise(m->data + start, static_cast<size_t>(n), option));
}

Result<> mmap_resize(ThreadState& ts, Args args) {
  MVM_TRY(int64_t n, AsOffset(ts, args[1]));
  MVM_TRY(MmapObject * m, Open(ts, args[0]));
  if (m->exports > 0) {
    return Raise(ts, Exc::kBufferError, "mmap can't resize with extant buffers exported.");
  }
  if (!m->tracked) return Raise(ts, Exc::kValueError, "mmap can't resize with trackfd=False.");
  if (m->access == kAccessRead || m->access == kAccessCopy) {
    return Raise(ts, Exc::kTypeError, "mmap can't resize a readonly or copy-on-write memory map.");
  }
  int64_t file_size;
  if (n < 0 || __builtin_add_overflow(m->offset, n, &file_size)) {
    return Raise(ts, Exc::kValueError, "new size out of range");
  }
  // Refused before the file is touched: nothing would be left to map.
  if (n == 0) return RaiseErrno(ts, EINVAL);
  const size_t more = m->CountsAsMemory() && n > m->size ? static_cast<size_t>(n - m->size) : 0;
  MVM_TRY_VOID(m->Hold(ts, more));
  void* data = MAP_FAILED;
  if (m->fd < 0 || ftruncate(m->fd, file_size) == 0) {
    data = mremap(m->data, static_cast<size_t>(m->size), static_cast<size_t>(n), MREMAP_MAYMOVE);
  }
  if (data == MAP_FAILED) {
    int error = errno;
    m->GiveBack(ts.heap(), more);
    return RaiseErrno(ts, error);
  }
  m->data = static_cast<uint8_t*>(data);
  m->size = n;
  if (m->CountsAsMemory()) m->GiveBack(ts.heap(), m->held - static_cast<size_t>(n));
  m->position = std::min(m->position, n);
  return None(ts);
}

const MethodSpec kMmapMethods[] = {
    {"__enter__(self, /)", mmap_enter},
    {"__exit__(self, exc_type=None, exc_value=None, traceback=None, /)", mmap_close},
    {"close(self, /)", mmap_close, "Close the mapping; the object cannot be used any more."},
    {"find(self, view, start=<unrepresentable>, end=<unrepresentable>, /)", mmap_find,
     "The lowest index from which the bytes are found, or -1."},
    {"flush(self, offset=0, size=-1, /)", mmap_flush, "Write changes back to the file."},
    {"madvise(self, option, start=0, length=<unrepresentable>, /)", mmap_madvise,
     "Advise the system about the use of the memory."},
    {"move(self, dest, src, count, /)", mmap_move, "Copy count bytes from src to dest."},
    {"read(self, n=None, /)", mmap_read,
     "Up to n bytes from the position; None: all that are left."},
    {"read_byte(self, /)", mmap_read_byte, "The byte at the position, as an int."},
    {"readline(self, /)", mmap_readline, "The bytes up to the next newline."},
    {"resize(self, newsize, /)", mmap_resize, "Resize the mapping, and the file behind it."},
    {"rfind(self, view, start=<unrepresentable>, end=<unrepresentable>, /)", mmap_rfind,
     "The highest index from which the bytes are found, or -1."},
    {"seek(self, pos, whence=0, /)", mmap_seek, "Set the position; returns it."},
    {"seekable(self, /)", mmap_seekable, "True."},
    {"size(self, /)", mmap_size, "The length of the file, which may be more than the mapping."},
    {"tell(self, /)", mmap_tell, "The position."},
    {"write(self, bytes, /)", mmap_write, "Write the bytes at the position; returns how many."},
    {"write_byte(self, byte, /)", mmap_write_byte,
     "Write a byte, given as an int, at the position."},
};
const GetSetSpec kMmapGetSets[] = {{"closed", mmap_closed}};
const TypeSpec kMmapType = {
    .name = "mmap.mmap",
    .doc =
        "Memory that is a file's, or that processes share.\n"
        "\n"
        "mmap(fileno, length, flags=MAP_SHARED, prot=PROT_READ|PROT_WRITE, access=ACCESS_DEFAULT, "
        "offset=0, *, trackfd=True)\n"
        "\n"
        "A length of 0 takes all of the file from offset, a multiple of ALLOCATIONGRANULARITY. A "
        "fileno of -1: no file.\n"
        "trackfd=False keeps no descriptor, so that size() and resize() fail.",
    .flags = kTypeBase | kTypeWeakrefs,
    .size = sizeof(MmapObject),
    .gc = LeafHooksOf<MmapObject>(),
    .slots = {.repr = mmap_repr,
              .iter = mmap_iter,
              .len = mmap_len,
              .get_item = mmap_getitem,
              .set_item = mmap_setitem,
              .buffer = mmap_buffer},
    // 1: MAP_SHARED; 3: PROT_READ | PROT_WRITE
    .construct = {"mmap(fileno, length, flags=1, prot=3, access=0, offset=0, *, trackfd=True)",
                  mmap_new},
    .methods = kMmapMethods,
    .getsets = kMmapGetSets,
};
static_assert(MAP_SHARED == 1 && (PROT_READ | PROT_WRITE) == 3);

const TypeSpec* const kTypes[] = {&kMmapType};
const ConstantSpec kConstants[] = {
#define C(name) \
  { #name, ConstantSpec::kInt, static_cast < int64_t>(name) }
    C(MADV_DODUMP),
    C(MADV_DOFORK),
    C(MADV_DONTDUMP),
    C(MADV_DONTFORK),
    C(MADV_DONTNEED),
    C(MADV_FREE),
    C(MADV_HUGEPAGE),
    C(MADV_HWPOISON),
    C(MADV_MERGEABLE),
    C(MADV_NOHUGEPAGE),
    C(MADV_NORMAL),
    C(MADV_RANDOM),
    C(MADV_REMOVE),
    C(MADV_SEQUENTIAL),
    C(MADV_UNMERGEABLE),
    C(MADV_WILLNEED),
    C(MAP_ANON),
    C(MAP_ANONYMOUS),
    C(MAP_DENYWRITE),
    C(MAP_EXECUTABLE),
    C(MAP_NORESERVE),
    C(MAP_POPULATE),
    C(MAP_PRIVATE),
    C(MAP_SHARED),
    C(MAP_STACK),
    C(PROT_EXEC),
    C(PROT_READ),
    C(PROT_WRITE),
#ifdef MAP_32BIT
    C(MAP_32BIT),
#endif
#undef C
    {"ACCESS_COPY", ConstantSpec::kInt, kAccessCopy},
    {"ACCESS_DEFAULT", ConstantSpec::kInt, kAccessDefault},
    {"ACCESS_READ", ConstantSpec::kInt, kAccessRead},
    {"ACCESS_WRITE", ConstantSpec::kInt, kAccessWrite},
};

Status exec_mmap(ThreadState& ts, ModuleObject* module) {
  const Value page = Value::Int(sysconf(_SC_PAGESIZE));
  MVM_TRY_VOID(ModuleAdd(ts, module, "PAGESIZE", page));
  MVM_TRY_VOID(ModuleAdd(ts, module, "ALLOCATIONGRANULARITY", page));
  return ModuleAdd(ts, module, "error", Value(ExcType(ts, Exc::kOSError)));
}

}  // namespace

extern const ModuleSpec k_mmap_module;
const ModuleSpec k_mmap_module = {
    .name = "mmap",
    .doc = "Files and memory as objects that are like bytearrays and like files.",
    .types = kTypes,
    .constants = kConstants,
    .exec = exec_mmap,
};

}  // namespace minivm
