// Packs the character sets of tools/charsets into constant tables for stdlib/multibyte/charset.cpp.
//
// Usage: gen_charset_tables DATA_DIRECTORY OUTPUT_FILE. The form of the packed tables is described
// in stdlib/multibyte/charset.h, that of the text files in README.md.
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "stdlib/multibyte/charset_format.h"

namespace {

using namespace minivm;

// In this order: a base before its variants.
constexpr const char* kFiles[] = {
#define SET(name) #name,
#include "stdlib/multibyte/charsets.def"
#undef SET
};

struct Pair {
  uint32_t first, second, code;
};
struct Exception {
  uint32_t character, code;
};
struct Set {
  std::string name, base;
  unsigned lead0, lead1, trail0, trail1;
  std::map<uint32_t, std::u32string> cells;
  std::vector<Exception> exceptions;
};

[[noreturn]] void Fail(const std::string& what) {
  std::fprintf(stderr, "gen_charset_tables: %s\n", what.c_str());
  std::exit(1);
}

std::u32string Decode(std::string_view text) {
  std::u32string out;
  for (size_t i = 0; i < text.size();) {
    const uint8_t b = static_cast<uint8_t>(text[i++]);
    const int more = b < 0x80 ? 0 : b < 0xE0 ? 1 : b < 0xF0 ? 2 : 3;
    char32_t c = more == 0 ? b : b & (0x3F >> more);
    for (int k = 0; k < more; ++k) c = c << 6 | (text[i++] & 0x3F);
    out.push_back(c);
  }
  return out;
}

uint32_t Hex(const std::string& text) {
  return static_cast<uint32_t>(std::strtoul(text.c_str(), nullptr, 16));
}

void Read(const std::string& path, Set* set, std::vector<Exception>* ranges) {
  std::ifstream in(path);
  if (!in) Fail("cannot read " + path);
  std::string line;
  bool in_ranges = false;
  while (std::getline(in, line)) {
    if (line.starts_with("set ")) {
      std::istringstream words(line.substr(4));
      words >> set->name >> std::hex >> set->lead0 >> set->lead1 >> set->trail0 >> set->trail1 >>
          set->base;
    } else if (line.starts_with("ranges ")) {
      in_ranges = true;
    } else if (in_ranges) {
      ranges->push_back({Hex(line.substr(5)), Hex(line.substr(0, 4))});
    } else if (line[0] == '!') {
      set->exceptions.push_back({Decode(line.substr(6))[0], Hex(line.substr(1, 4))});
    } else {
      uint32_t code = Hex(line.substr(0, 4));
      const std::u32string text = Decode(std::string_view(line).substr(5));
      if (line[4] == '+') {
        set->cells[code] = text;
      } else {
        for (char32_t c : text) set->cells[code++] = std::u32string(1, c);
      }
    }
  }
}

class Packer {
 public:
  Packer(const Set& set, const Set* base) : set_(set), base_(base) {}

  std::vector<uint8_t> Pack() {
    for (unsigned lead = set_.lead0; lead <= set_.lead1; ++lead) {
      for (unsigned trail = set_.trail0; trail <= set_.trail1; ++trail) {
        Add(lead << 8 | trail);
      }
    }
    Flush();
    return std::move(out_);
  }

 private:
  static const std::u32string* Find(const Set& set, uint32_t code) {
    auto found = set.cells.find(code);
    return found == set.cells.end() ? nullptr : &found->second;
  }

  void Add(uint32_t code) {
    const std::u32string* text = Find(set_, code);
    const std::u32string* base = base_ ? Find(*base_, code) : nullptr;
    // Equal empty cells are copied too, as part of a run, but do not begin one.
    const bool same = base_ && (text ? base && *base == *text : !base && copies_ > 0);
    if (same) {
      FlushRun();
      FlushGap();
      ++copies_;
      if (text && text->size() == 1) previous_ = (*text)[0];
      return;
    }
    FlushCopies();
    if (!text) {
      FlushRun();
      ++gap_;
      return;
    }
    FlushGap();
    if (text->size() == 2) {
      FlushRun();
      out_.push_back(kCharsetPair);
      return;
    }
    const char32_t c = (*text)[0];
    if (c == previous_ + 1) {
      ++run_;
    } else {
      FlushRun();
      Character(c);
    }
    previous_ = c;
  }

  void Character(char32_t c) {
    if (c > previous_ && c - previous_ <= 64) {
      out_.push_back(static_cast<uint8_t>(kCharsetStep + (c - previous_ - 1)));
    } else if (c >= kCharsetLiteralBase && c < kCharsetLiteralBase + 0x8000) {
      out_.push_back(static_cast<uint8_t>(kCharsetLiteral + ((c - kCharsetLiteralBase) >> 8)));
      out_.push_back(static_cast<uint8_t>((c - kCharsetLiteralBase) & 0xFF));
    } else {
      out_.push_back(c < 0x10000 ? kCharsetBmp : kCharsetBeyond);
      Two(c & 0xFFFF);
    }
  }

  void Two(unsigned v) {
    out_.push_back(static_cast<uint8_t>(v & 0xFF));
    out_.push_back(static_cast<uint8_t>(v >> 8));
  }

  void FlushRun() {
    for (; run_ >= 2;) {
      const unsigned n = run_ > 33 ? 33 : run_;
      out_.push_back(static_cast<uint8_t>(kCharsetRun + (n - 2)));
      run_ -= n;
    }
    if (run_ == 1) out_.push_back(kCharsetStep);
    run_ = 0;
  }
  void FlushGap() {
    if (gap_ > 32) {
      out_.push_back(kCharsetLongGap);
      Two(gap_);
    } else {
      for (; gap_ > 0;) {
        const unsigned n = gap_ > 16 ? 16 : gap_;
        out_.push_back(static_cast<uint8_t>(kCharsetGap + (n - 1)));
        gap_ -= n;
      }
    }
    gap_ = 0;
  }
  void FlushCopies() {
    if (copies_ > 256) {
      out_.push_back(kCharsetLongCopy);
      Two(copies_);
    } else if (copies_ > 0) {
      out_.push_back(kCharsetCopy);
      out_.push_back(static_cast<uint8_t>(copies_ - 1));
    }
    copies_ = 0;
  }
  void Flush() {
    FlushRun();
    FlushGap();
    FlushCopies();
  }

  const Set& set_;
  const Set* base_;
  std::vector<uint8_t> out_;
  char32_t previous_ = 0;
  unsigned run_ = 0, gap_ = 0, copies_ = 0;
};

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) Fail("usage: gen_charset_tables DATA_DIRECTORY OUTPUT_FILE");
  std::map<std::string, Set> sets;
  std::vector<Exception> ranges;
  std::ostringstream rows, out;
  out << "// Generated by tools/charsets/gen_tables.cpp.\n";
  for (const char* file : kFiles) {
    Set& set = sets[file];
    Read(std::string(argv[1]) + "/" + file + ".txt", &set, &ranges);
    int base = -1;
    if (set.base != "-") {
      for (int i = 0; kFiles[i] != file; ++i) {
        if (set.base == kFiles[i]) base = i;
      }
      if (base < 0) Fail("no set " + set.base + " before " + set.name);
    }
    const std::vector<uint8_t> packed = Packer(set, base < 0 ? nullptr : &sets[set.base]).Pack();
    out << "constexpr uint8_t kPacked_" << file << "[] = {";
    for (size_t i = 0; i < packed.size(); ++i) out << (i % 32 ? "" : "\n") << +packed[i] << ',';
    out << "};\n";
    std::ostringstream pairs, exceptions;
    size_t pair_count = 0;
    for (const auto& [code, text] : set.cells) {
      if (text.size() != 2) continue;
      pairs << '{' << +text[0] << ',' << +text[1] << ',' << code << "},";
      ++pair_count;
    }
    for (const Exception& e : set.exceptions) {
      exceptions << '{' << e.character << ',' << e.code << "},";
    }
    // An empty array is none.
    out << "constexpr CharsetPair kPairs_" << file << "[] = {" << pairs.str() << "{}};\n"
        << "constexpr CharsetException kExceptions_" << file << "[] = {" << exceptions.str()
        << "{}};\n";
    rows << "{kPacked_" << file << ", kPairs_" << file << ", kExceptions_" << file << ", "
         << packed.size() << ", " << pair_count << ", " << set.exceptions.size() << ", "
         << set.lead0 << ", " << set.lead1 << ", " << set.trail0 << ", " << set.trail1 << ", "
         << base << "},\n";
  }
  out << "constexpr PackedCharset kPackedCharsets[] = {\n" << rows.str() << "};\n";
  out << "constexpr GbRange kGbRanges[] = {\n";
  for (const Exception& e : ranges) out << '{' << e.code << ',' << e.character << "},";
  out << "};\n";
  std::ofstream(argv[2]) << out.str();
}
