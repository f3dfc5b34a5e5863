// DEFLATE as small as it gets, however long that takes: for what is packed once, by the build.
#pragma once

#include <string>
#include <string_view>

namespace minivm::zlib {

// `text` as a raw stream that may refer back to `before`.
std::string DeflateTightly(std::string_view text, std::string_view before);

}  // namespace minivm::zlib
