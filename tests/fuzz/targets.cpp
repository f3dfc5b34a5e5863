// The targets of the fuzzers: what reads text or bytes that others have written.
#include "tests/fuzz/target.h"

namespace minivm {

namespace {

constexpr const char* kParser = R"(
import ast

def run(data):
    tree = compile(data, 'fuzz', 'exec', ast.PyCF_ONLY_AST)
    compile(data, 'fuzz', 'exec')
    again = ast.parse(ast.unparse(tree))
    compile(again, 'fuzz', 'exec')
)";

// The first byte chooses flags; a NUL ends the pattern. With a memo matches are what they are
// without.
constexpr const char* kRe = R"(
import re
import _sre

FLAGS = [re.I, re.M, re.S, re.X, re.A]

def run(data):
    flags = 0
    for i, flag in enumerate(FLAGS):
        if data[:1] and data[0] >> i & 1:
            flags |= flag
    pattern, _, text = data[1:].partition(b'\0')
    text = text[:200]
    if data[0] < 128:
        pattern = pattern.decode('utf-8', 'replace')
        text = text.decode('utf-8', 'replace')
    p = re.compile(pattern, flags)
    for m in (p.search(text), p.match(text), p.fullmatch(text)):
        if m:
            for i in range(p.groups + 1):
                start, end = m.span(i)
                assert (start, end) == (-1, -1) or 0 <= start <= end <= len(text)
                assert m[i] is None or m[i] == text[start:end]
    for i, m in enumerate(p.finditer(text)):
        if i > 50:
            break
    p.sub(lambda m: m[0], text, count=20)
    p.split(text, 20)
    results = []
    for patience in 10 ** 6, 0:
        _sre.limit(p, patience, 10 ** 5)
        try:
            results.append([m and (m.regs, m.lastindex) for m in (p.search(text), p.fullmatch(text), *p.finditer(text))])
        except RuntimeError:
            return
    assert results[0] == results[1]
)";

constexpr const char* kJson = R"(
import json

def run(data):
    value = json.loads(data)
    text = json.dumps(value)
    again = json.dumps(json.loads(text))
    assert text == again, (text, again)
    json.dumps(value, indent=1, sort_keys=True, ensure_ascii=False)
    json.loads(data, parse_float=str, object_pairs_hook=list)
)";

// Only harmless classes are to be had.
constexpr const char* kPickle = R"(
import collections, datetime, decimal, fractions, io, pickle, pickletools

SAFE = {('builtins', n): getattr(__builtins__, n) for n in
        ('complex', 'bytearray', 'set', 'frozenset', 'range', 'slice', 'list', 'dict', 'object', 'int')}
SAFE |= {('collections', n): getattr(collections, n) for n in ('OrderedDict', 'deque', 'Counter', 'defaultdict')}
SAFE |= {('datetime', n): getattr(datetime, n) for n in ('date', 'time', 'datetime', 'timedelta', 'timezone')}
SAFE |= {('decimal', 'Decimal'): decimal.Decimal, ('fractions', 'Fraction'): fractions.Fraction}

class Safe(pickle.Unpickler):
    def find_class(self, module, name):
        try:
            return SAFE[module, name]
        except KeyError:
            raise pickle.UnpicklingError('not allowed')
    def persistent_load(self, pid):
        return pid

def run(data):
    try:
        for op, arg, pos in pickletools.genops(data):
            pass
    except Exception:
        pass
    value = Safe(io.BytesIO(data), buffers=[b'one', bytearray(b'two')]).load()
    for protocol in 0, 2, 5:
        pickle.dumps(value, protocol)
)";

// A NUL ends the format.
constexpr const char* kStruct = R"(
import struct

def run(data):
    form, _, rest = data.partition(b'\0')
    size = struct.calcsize(form)
    if size > 1000000:
        return
    values = struct.unpack(form, (rest * (size // max(len(rest), 1) + 1))[:size] or bytes(size))
    packed = struct.pack(form, *values)
    assert len(packed) == size
    for _ in zip(range(5), struct.iter_unpack(form, rest)):
        pass
    buffer = bytearray(size + 3)
    struct.pack_into(form, buffer, 3, *values)
    assert buffer[3:] == packed
)";

constexpr const char* kZlib = R"(
import gzip, zlib

def run(data):
    for wbits in 15, -15, 31, 47, 9:
        d = zlib.decompressobj(wbits)
        try:
            out = d.decompress(data, 100000)
            for _ in range(10):
                if not d.unconsumed_tail:
                    break
                out += d.decompress(d.unconsumed_tail, 1000)
            d.flush()
        except zlib.error:
            pass
    level = len(data) % 10
    assert zlib.decompress(zlib.compress(data, level)) == data
    c = zlib.compressobj(level, zlib.DEFLATED, -15, 1 + len(data) % 9, len(data) % 5)
    half = len(data) // 2
    packed = c.compress(data[:half]) + c.flush(zlib.Z_SYNC_FLUSH) + c.compress(data[half:]) + c.flush()
    assert zlib.decompress(packed, -15) == data
    gzip.decompress(data)
)";

// A NUL ends the format specification, which is tried as each kind of format string.
constexpr const char* kFormat = R"(
import datetime, decimal, string, time

VALUES = [0, -12345678901234567890, 3, True, 1.5, -0.0, float('inf'), 2.5e-300, 1 + 2j, 'text \u20ac', b'bytes',
          decimal.Decimal('1.25'), datetime.datetime(2020, 1, 2, 3, 4, 5)]

def attempt(f, *args):
    try:
        return f(*args)
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, OverflowError, MemoryError):
        return None

def run(data):
    text = data.decode('utf-8', 'replace')
    for value in VALUES:
        attempt(format, value, text)
        attempt(lambda: text % value)
        attempt(lambda: text % (value, value))
    attempt(lambda: data % (1, b'x'))
    attempt(lambda: text % {'a': 1, '': 2})
    attempt(text.format, *VALUES)
    attempt(lambda: text.format(a=1, b=[1, 2]))
    attempt(lambda: string.Template(text).substitute(a=1))
    attempt(lambda: list(string.Formatter().parse(text)))
    attempt(time.strftime, text[:100])
    attempt(time.strptime, text[:50], text[50:100])
    attempt(int, text)
    attempt(float, text)
    attempt(complex, text)
    attempt(decimal.Decimal, text)
)";

}  // namespace

const FuzzTarget kFuzzTargets[] = {
    {"parser", kParser}, {"re", kRe},     {"json", kJson},     {"pickle", kPickle},
    {"struct", kStruct}, {"zlib", kZlib}, {"format", kFormat},
};
const size_t kFuzzTargetCount = sizeof(kFuzzTargets) / sizeof(kFuzzTargets[0]);

}  // namespace minivm
