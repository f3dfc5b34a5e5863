// Asynchronous generators and the awaitables of their methods; coroutine bookkeeping.
#pragma once

#include "vm/interp/generator_object.h"

namespace minivm {

// sys.set_coroutine_origin_tracking_depth: remembers where a coroutine was made.
void NoteCoroutineOrigin(ThreadState& ts, GeneratorObject* coroutine);

// What aiter's anext, asend, athrow and aclose of an async generator return.
Result<> AsyncGeneratorAnext(ThreadState& ts, GeneratorObject* gen);
// What an async generator's `yield x` hands to its driver.
Result<> WrapAsyncValue(ThreadState& ts, Value value);

// anext(aiterator, default).
Result<> NewAnextAwaitable(ThreadState& ts, Value awaitable, Value fallback);

}  // namespace minivm
