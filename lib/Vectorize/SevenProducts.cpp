//===- SevenProducts.cpp - Strassen's products of register tiles ----------===//

#include "Vectorize/SevenProducts.h"

using namespace mlir;
using namespace posenc;

/// Between rows of a block of half the inputs: an odd number of cache lines.
static int64_t pitchOf(int64_t inputs) { return (llvm::divideCeil(inputs / 2, 16) | 1) * 16; }

int64_t SevenProducts::halfBlock(int64_t inputs, int64_t height, int64_t lanes) {
  // Sums take as much as the rows; both stay in the second cache. Where they would be few,
  // weights come from too far too often.
  constexpr int64_t budget = 402 << 10, most = 64;
  if (inputs <= 0 || inputs % (2 * lanes))
    return 0;
  int64_t rows = std::min(most, budget / (4 * 4 * pitchOf(inputs))) / height * height;
  return rows >= 24 ? rows : 0;
}

int64_t SevenProducts::choosePanel(int64_t outputs, int64_t lanes) {
  // Products are short: of the tiles that fill the registers, the one with the fewest loads.
  return lanes == 16 && outputs % (6 * lanes) == 0 ? 3 * lanes
                                                   : LinearPlan::choosePanel(outputs, lanes);
}

SevenProducts::SevenProducts(KernelBuilder &b, const LinearPlan &plan, ValueRange operands,
                             LinearEpilogue &epilogue)
    : b(b), plan(plan), epilogue(epilogue), weight(flat(b, operands[1])),
      sums(flat(b, operands.drop_back().back())),
      blocks(b.scratch({4, plan.half, pitchOf(plan.inputs)})),
      kept(b.scratch({3, plan.half, plan.panel})) {}

/// Which rows a product takes: sums of blocks of the input, or a block, of the upper or the
/// lower rows and the first or the second half of the inputs.
enum SevenProducts::Rows : unsigned { Lower, LowerLessUpper1, UpperLessLower1, Rest, Upper1, Upper2, Lower2 };

void SevenProducts::addRows() {
  b.loop(b.index(0), half, 1, [&](Value r) {
    Value upper = b.add(first, r), lower = b.add(upper, half);
    Values upperRow = b.leading(x, upper), lowerRow = b.leading(x, lower);
    b.loop(b.index(0), b.index(plan.inputs / 2), b.lanes, [&](Value k) {
      Value k2 = b.add(k, plan.inputs / 2);
      Value upper1 = b.load(x, join(upperRow, k), b.lanes), upper2 = b.load(x, join(upperRow, k2), b.lanes);
      Value lower1 = b.load(x, join(lowerRow, k), b.lanes), lower2 = b.load(x, join(lowerRow, k2), b.lanes);
      for (Value row : {upper, lower})
        for (Value channel : {k, k2})
          b.prefetch(x, join(b.leading(x, b.add(row, 2)), channel));
      Value sum = b.add(lower1, lower2), less = b.sub(sum, upper1);
      Value all[] = {sum, less, b.sub(upper1, lower1), b.sub(upper2, less)};
      for (auto [block, value] : llvm::enumerate(all))
        b.store(value, blocks, {b.index(block), r, k});
    });
  });
}

/// Adds the product of a tile of rows; asks for a share of what the next one takes.
SmallVector<Value> SevenProducts::product(const Product &product, const Product &next, Value row,
                                          Values acc) {
  Rows rows = product.rows;
  constexpr int64_t unroll = 4;
  int64_t width = plan.panel / b.lanes, column = rows == Upper1 ? 0 : plan.inputs / 2;
  SmallVector<Values> places;
  for (int64_t r = 0; r < plan.height; ++r) {
    Value local = b.add(row, r), upper = b.add(first, local);
    places.push_back(rows <= Rest ? Values{b.index(rows), local}
                                : b.leading(x, rows == Lower2 ? b.add(upper, half) : upper));
  }
  auto left = [&](int64_t r, Value k) {
    return rows <= Rest ? b.load(blocks, join(places[r], k), 0)
                        : b.load(x, join(places[r], b.add(k, column)), 0);
  };
  // Of the lines that a panel has, as many in each step of each tile.
  int64_t tiles = plan.half / plan.height, share = llvm::divideCeil(width * unroll, tiles);
  Value ahead = b.add(next.at, b.mul(row, plan.inputs / 2 / unroll * share * b.lanes / plan.height));
  return b.loop(b.index(0), b.index(plan.inputs / 2), unroll, acc, [&](Value k, ValueRange current) {
    Values sums(current);
    for (int64_t line = 0; line < share; ++line)
      b.prefetch(next.weights, {b.add(ahead, b.mul(b.add(b.mul(k, share), line * unroll), b.lanes / unroll))});
    for (int64_t u = 0; u < unroll; ++u) {
      Value ku = b.add(k, u), from = b.add(product.at, b.mul(ku, plan.panel));
      Values right;
      for (int64_t v = 0; v < width; ++v)
        right.push_back(b.load(product.weights, {b.add(from, v * b.lanes)}, b.lanes));
      b.addProducts([&](int64_t r) { return left(r, ku); }, right, sums);
    }
    return sums;
  });
}

/// A panel and the next by all rows. One product after the other, so that its weights
/// serve all tiles from a near cache; sums go on from product to product.
void SevenProducts::panelPair(Value panel) {
  int64_t size = plan.inputs / 2 * plan.panel, pairs = plan.outputs / (2 * plan.panel);
  int64_t width = plan.panel / b.lanes;
  Value begin = b.mul(panel, 2 * size), pair = b.divide(panel, 2);
  auto part = [&](int64_t n) { return b.add(begin, n * size); };
  auto sum = [&](int64_t n) { return b.mul(b.add(pair, n * pairs), size); };
  const Product products[] = {{Upper1, weight, part(0)},        {Upper2, weight, part(1)},
                              {LowerLessUpper1, sums, sum(1)},  {UpperLessLower1, sums, sum(2)},
                              {Lower2, sums, sum(3)},           {Lower, sums, sum(0)},
                              {Rest, weight, part(3)},          {Upper1, weight, part(4)}};
  auto multiply = [&](int64_t n, Value row, Values acc) {
    return product(products[n], products[n + 1], row, acc);
  };
  auto add = [&](ValueRange one, ValueRange other) {
    return llvm::map_to_vector(llvm::zip_equal(one, other), [&](auto both) {
      return b.add(std::get<0>(both), std::get<1>(both));
    });
  };
  auto at = [&](int64_t n, Value row, int64_t i) {
    return Values{b.index(n), b.add(row, i / width), b.index(i % width * b.lanes)};
  };
  auto take = [&](int64_t n, Value row) {
    return llvm::map_to_vector(llvm::seq(plan.height * width),
                               [&](int64_t i) { return b.load(kept, at(n, row, i), b.lanes); });
  };
  auto keep = [&](int64_t n, Value row, ValueRange acc) {
    for (auto [i, value] : llvm::enumerate(acc))
      b.store(value, kept, at(n, row, i));
  };
  auto tile = [&](bool lower, int64_t second, Value row) {
    Value upper = b.add(start, row);
    return LinearTile{plan.height, plan.panel, lower ? b.add(upper, half) : upper, b.add(panel, second)};
  };
  auto tiles = [&](llvm::function_ref<void(Value)> body) {
    b.loop(b.index(0), half, plan.height, body);
  };
  Values zero(plan.height * width, b.splat(0));

  tiles([&](Value row) { keep(0, row, multiply(0, row, zero)); });
  tiles([&](Value row) {
    LinearTile to = tile(false, 0, row);
    epilogue.write(to, multiply(1, row, add(take(0, row), epilogue.start(to))));
  });
  tiles([&](Value row) {
    keep(1, row, multiply(2, row, take(0, row)));
  });
  tiles([&](Value row) {
    keep(2, row, multiply(3, row, take(1, row)));
  });
  tiles([&](Value row) {
    LinearTile to = tile(true, 0, row);
    epilogue.write(to, multiply(4, row, add(take(2, row), epilogue.start(to))));
  });
  tiles([&](Value row) {
    LinearTile to = tile(true, 1, row);
    Values acc = multiply(5, row, zero);
    keep(1, row, add(acc, take(1, row)));
    epilogue.write(to, add(add(acc, take(2, row)), epilogue.start(to)));
  });
  tiles([&](Value row) {
    LinearTile to = tile(false, 1, row);
    epilogue.write(to, multiply(6, row, add(take(1, row), epilogue.start(to))));
  });
}

void SevenProducts::build(Value input, Value firstRow, ValueRange rows, ValueRange panels) {
  x = input;
  first = firstRow;
  start = rows[0];
  half = b.mul(b.divide(b.sub(rows[1], rows[0]), 2 * plan.height), plan.height);
  left = b.add(start, b.mul(half, 2));
  int64_t pairs = plan.outputs / (2 * plan.panel);
  endOfPairs = b.roundDown(b.min(panels[1], 2 * pairs), 2);
  addRows();
  b.loop(panels[0], endOfPairs, 2, [&](Value panel) { panelPair(panel); });
}

Value SevenProducts::firstLeft(Value panel) {
  return b.select(b.less(panel, endOfPairs), left, start);
}
