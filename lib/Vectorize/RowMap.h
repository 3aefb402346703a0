//===- RowMap.h - a region on the channels of rows --------------*- C++ -*-===//

#ifndef POSENC_VECTORIZE_ROWMAP_H
#define POSENC_VECTORIZE_ROWMAP_H

#include "Vectorize/RegionVectorizer.h"

namespace posenc {

/// Applies a region to every group of channels of a row; lanes are groups. Its
/// arguments are the group of the first input, three coordinates, the number of
/// the group, and the groups of the other inputs.
class RowMap {
public:
  using Value = mlir::Value;
  using Values = llvm::SmallVector<Value>;

  RowMap(KernelBuilder &b, mlir::Region &region, ChannelsAttr channels,
         const mlir::IRMapping &outer, Value width = {})
      : b(b), region(region), channels(channels), outer(outer), width(width) {}

  /// From the rows `at` of the inputs to the row `outAt`. Channels without a
  /// group are copied, unless `out` is the first input.
  mlir::LogicalResult apply(mlir::ValueRange inputs, mlir::ValueRange at, Value out,
                            mlir::ValueRange outAt, mlir::ValueRange coordinates);

  /// How many groups to take at once for accesses of `elements` neighbours that start
  /// at multiples of as many; 0 if `width` channels or the region do not allow it.
  static int64_t wideGroups(mlir::Region &region, ChannelsAttr channels, int64_t width,
                            int64_t elements);

  // One group, or `n`. Only with the width that the constructor was given.
  Value channel(Value c, unsigned member);
  Values loadGroup(Value from, mlir::ValueRange at, Value c, int64_t n);
  void storeGroup(mlir::ValueRange values, Value to, mlir::ValueRange at, Value c, int64_t n);

private:
  int64_t laneCount(mlir::ValueRange inputs, Value out);

  KernelBuilder &b;
  mlir::Region &region;
  ChannelsAttr channels;
  const mlir::IRMapping &outer;
  Value width; ///< channels that have a group
};

} // namespace posenc

#endif // POSENC_VECTORIZE_ROWMAP_H
