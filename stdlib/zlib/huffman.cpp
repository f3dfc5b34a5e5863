// Huffman codes: code lengths by frequency.
#include "stdlib/zlib/huffman.h"

#include <algorithm>
#include <cstring>

namespace minivm::zlib {

// The two smallest of two sorted queues (symbols, sums) are joined again and again; then lengths
// above the limit are cut and the code made to fit by lengthening others.
void AssignLengths(const uint32_t* frequencies, int count, int limit, uint8_t* lengths) {
  struct Node {
    uint64_t weight;
    int16_t symbol;  // -1: a sum
    int16_t parent;
  };
  std::array<Node, kLiteralSymbols * 2> nodes;
  int used = 0;
  for (int i = 0; i < count; ++i) {
    lengths[i] = 0;
    if (frequencies[i]) nodes[used++] = {frequencies[i], static_cast<int16_t>(i), -1};
  }
  if (used == 0) return;
  if (used == 1) {
    lengths[nodes[0].symbol] = 1;
    return;
  }
  std::stable_sort(nodes.begin(), nodes.begin() + used,
                   [](const Node& a, const Node& b) { return a.weight < b.weight; });
  int leaf = 0, sum = used, end = used;
  auto smallest = [&] {
    return leaf < used && (sum >= end || nodes[leaf].weight <= nodes[sum].weight) ? leaf++ : sum++;
  };
  for (int i = 0; i < used - 1; ++i) {
    const int a = smallest(), b = smallest();
    nodes[end] = {nodes[a].weight + nodes[b].weight, -1, -1};
    nodes[a].parent = nodes[b].parent = static_cast<int16_t>(end++);
  }
  std::array<uint16_t, kLiteralSymbols * 2> depth;
  depth[end - 1] = 0;
  for (int i = end - 2; i >= 0; --i) depth[i] = static_cast<uint16_t>(depth[nodes[i].parent] + 1);
  // Kraft's sum in units of the longest code allowed.
  int64_t room = int64_t{1} << limit;
  for (int i = 0; i < used; ++i) {
    depth[i] = static_cast<uint16_t>(std::min<int>(depth[i], limit));
    room -= int64_t{1} << (limit - depth[i]);
  }
  // The rarest symbols stand first: they are lengthened first.
  for (int i = 0; room < 0; i = i + 1 < used ? i + 1 : 0) {
    if (depth[i] < limit) {
      room += int64_t{1} << (limit - depth[i] - 1);
      ++depth[i];
    }
  }
  for (int i = used - 1; i >= 0 && room > 0; --i) {
    while (depth[i] > 1 && room >= int64_t{1} << (limit - depth[i])) {
      room -= int64_t{1} << (limit - depth[i]);
      --depth[i];
    }
  }
  for (int i = 0; i < used; ++i) lengths[nodes[i].symbol] = static_cast<uint8_t>(depth[i]);
}

}  // namespace minivm::zlib
