//===- Kernels.h - what a kernel's function computes ------------*- C++ -*-===//
//
// Each function builds the body of a kernel: `operands` are those of the op as
// arguments of the kernel, the inputs before the destination, and `outer` maps
// what the regions use from outside. They fail, with an error, on regions that
// cannot be vectorised.
//
//===----------------------------------------------------------------------===//

#ifndef POSENC_VECTORIZE_KERNELS_H
#define POSENC_VECTORIZE_KERNELS_H

#include "Vectorize/Processor.h"
#include "Vectorize/RegionVectorizer.h"
#include "posenc/Dialect.h"

namespace posenc {

/// How attention is computed: sizes of the register tile and of the blocks
/// around it, chosen by registers and caches unless the op's schedule says them.
struct AttentionPlan {
  AttentionPlan(AttentionOp op, const Processor &processor);

  bool pairs;         ///< products of bf16, two channels or two keys at once
  bool natural = false; ///< scores as the region sees them are exponents of e, not of 2
  bool encodesKeys, encodesValues; ///< by regions, once for all blocks of queries
  bool copyKeys, copyValues; ///< rows of a block go to scratch, for its panels
  int64_t width;      ///< queries of a panel, two native vectors
  int64_t rows;       ///< keys, or channels of the result, of a register tile
  int64_t firsts;     ///< channels of the tile that computes weights as well
  int64_t panels;     ///< panels that share a block of keys
  int64_t keys;       ///< keys of a block, a multiple of `rows`
  int64_t ahead;      ///< keys between the weight of one and its products
  int64_t queries() const { return width * panels; }
};

/// Rewrites the score region so that it takes and gives exponents of 2 in the place of
/// exponents of e, if it is linear in the score; says whether it does.
bool scaleScores(AttentionOp op);

/// Lets sums of products in a region be rounded once.
void contractProducts(mlir::Region &region);

/// One block of queries: `at` is its batch, head and first row. If regions encode keys or
/// values, `operands` has room for these after the offsets, [row, channel] of their head,
/// and a number in memory: so many of them are encoded, more once the kernel has run. Caches
/// have their blocks in line, and the number of keys is behind the offsets.
mlir::LogicalResult buildAttention(KernelBuilder &b, AttentionOp op, const AttentionPlan &plan,
                                   mlir::ValueRange operands,
                                   const mlir::IRMapping &outer, mlir::ValueRange at);

/// Blocks of caches that are read as they are have a multiple of so many rows.
constexpr int64_t cacheUnit = 16;
/// Why caches of such types are not read as they are; empty if they are.
llvm::StringRef refuseCaches(mlir::ShapedType keys, mlir::ShapedType values);

/// How attention of few queries is computed: lanes are keys or channels, never
/// queries, and the rows are the queries of all heads that share a key head.
struct DecodePlan {
  /// Whether it is known that there are few queries. One call then reads the keys
  /// once: what is computed per key, or per distance, is computed once anyway.
  static bool suits(AttentionOp op);
  /// None for an op that it does not suit.
  static std::optional<DecodePlan> get(AttentionOp op, const Processor &processor);

  static constexpr int64_t mostQueries = 16;
  static constexpr int64_t tileKeys = 4; ///< keys of a register tile
  static constexpr int64_t quad = 4;     ///< channels of a row of queries in a vector of several
  int64_t queries;
  int64_t keys = 16;      ///< keys of a block, that of a cache if one is read
  int64_t tileRows;       ///< rows of a register tile, of scores if a block is read at once;
                          ///< vectors of rows if these are quads
  int64_t valueRows;      ///< rows of a register tile of values, if a block is read at once
  int64_t valueChannels;  ///< channels of such a tile
  bool quads = false;     ///< blocks of rows are read at once, by vectors of several rows of queries
  bool pairs = false;     ///< quads are of pairs of bf16
  bool fetches = false;   ///< each product on a block asks for what the next one reads
  int64_t rows;           ///< rows that one call takes
  bool oneBlock;          ///< all rows of a key head are in one call
  int64_t heads = 1;      ///< key heads that one call takes, side by side in memory if several
};

/// Some key heads, rows and a part of the keys: `at` is the batch, the first key
/// head and row, the part and the number of parts. After the destinations and
/// the offsets, `operands` has the results of the parts, [part, batch, head,
/// query]: sums of values, and in the vector behind them maximum and sum. Then
/// comes the number of keys, if they are in a cache, whose last two dimensions are one.
mlir::LogicalResult buildDecode(KernelBuilder &b, AttentionOp op, const DecodePlan &plan,
                                mlir::ValueRange operands, const mlir::IRMapping &outer,
                                mlir::ValueRange at);

/// Writes a row of `width` channels, divided by their sum of weights, and its
/// log-sum-exp unless `lse` is null.
void writeDecoded(KernelBuilder &b, mlir::Value maximum, mlir::Value sum, int64_t width,
                  mlir::Value out, mlir::ValueRange row, mlir::Value lse, mlir::ValueRange lseAt,
                  llvm::function_ref<mlir::Value(mlir::Value, int64_t)> channel);
/// Replaces the op by calls of its kernel, spread over heads and parts of keys.
mlir::LogicalResult vectorizeDecode(AttentionOp op, const DecodePlan &plan,
                                    mlir::ValueRange operands, class Outliner &outliner);

/// A score that hides its key: finite, so that no difference is a NaN.
constexpr double hiddenScore = -1.0e30;

/// Encodes the rows [from, to) of a batch and `head` of keys or values, to the same rows
/// of `results`. The coordinates are those of that head, and of row 0.
mlir::LogicalResult encodeRows(KernelBuilder &b, AttentionOp op, mlir::Region &map,
                               ChannelsAttr channels, const mlir::IRMapping &outer,
                               mlir::Value rows, mlir::ValueRange head,
                               mlir::ValueRange coordinates, mlir::Value from, mlir::Value to,
                               mlir::Value results);
/// How many threads parallel loops will have.
mlir::Value threadCount(KernelBuilder &b, AttentionOp op);
/// Where a row of an operand of attention is, but for the channel.
llvm::SmallVector<mlir::Value> rowAt(AttentionOp op, mlir::Value batch, mlir::Value head,
                                     mlir::Value row);
/// Whether a value of the block does not follow from its argument.
bool isIndependent(mlir::Value value, mlir::BlockArgument argument);
/// The parts of the mask that do not look at the query: what they hide, as padding,
/// no query of its head sees.
llvm::SmallVector<mlir::Value> paddingConditions(AttentionOp op);
/// Whether a query sees all of its live interval that these do not hide, or, with
/// `padding` false, all of it.
bool isLiveExact(AttentionOp op, bool padding);
/// Whether they let a key be seen, which is at these coordinates.
mlir::Value isVisible(KernelBuilder &b, AttentionOp op, const mlir::IRMapping &outer,
                      mlir::Value batch, mlir::Value head, mlir::Value key);
/// The keys of the operand that its live region lets rows [from, to) of a head
/// see, all if there is none. `at` are the region's arguments; `offset` is the
/// coordinate of the operand's first key.
mlir::FailureOr<std::pair<mlir::Value, mlir::Value>>
liveKeys(KernelBuilder &b, AttentionOp op, const mlir::IRMapping &outer, mlir::ValueRange at,
         mlir::Value offset, mlir::Value keys);

/// How a linear layer is computed. Register tiles are one panel wide and up to
/// `height` rows high.
struct LinearPlan {
  LinearPlan(LinearOp op, mlir::ValueRange operands, int64_t lanes, bool bf16Pairs,
             bool sevenProducts = false);

  /// How many outputs a panel of a packed weight should have.
  static int64_t choosePanel(int64_t outputs, int64_t lanes);
  /// Rows of the register tile of a panel.
  static int64_t chooseHeight(int64_t panel, int64_t lanes);
  /// The number of outputs of a row of `out`.
  mlir::Value count(KernelBuilder &b, mlir::Value out) const;

  bool vectors;        ///< else scalar loops
  bool copyRows;       ///< rows of the input go to scratch first
  bool pairs;          ///< of bf16 are multiplied, the scratch is bf16
  int64_t panel, height;
  int64_t inputs = 0, outputs = 0;
  int64_t pitch = 0;   ///< between rows of the scratch
  int64_t rows;        ///< that one call of the kernel takes at most
  int64_t half = 0;    ///< rows of half a block for seven products; 0: there are none
};

/// All of a memref as one dimension.
mlir::Value flat(KernelBuilder &b, mlir::Value memref);

/// Where the destination has output `n` of a row, or the vector from there on.
llvm::SmallVector<mlir::Value> outputAt(KernelBuilder &b, LinearOp op, mlir::Value out,
                                        mlir::Value row, mlir::Value n);

/// Rows [rows[0], rows[1]) and panels [panels[0], panels[1]).
mlir::LogicalResult buildLinear(KernelBuilder &b, LinearOp op, const LinearPlan &plan,
                                mlir::ValueRange operands, const mlir::IRMapping &outer,
                                mlir::ValueRange rows, mlir::ValueRange panels);
/// The same as scalar loops.
mlir::LogicalResult buildLinearLoops(KernelBuilder &b, LinearOp op, const LinearPlan &plan,
                                     mlir::ValueRange operands, const mlir::IRMapping &outer,
                                     mlir::ValueRange rows, mlir::ValueRange panels);

/// Rows [rows[0], rows[1]).
void buildLayerNorm(KernelBuilder &b, LayerNormOp op, mlir::ValueRange operands,
                    mlir::ValueRange rows);

/// Positions [rows[0], rows[1]) of the last dimension but one; `leading` counts
/// those before it.
mlir::LogicalResult buildMap(KernelBuilder &b, MapOp op, mlir::ValueRange operands,
                             const mlir::IRMapping &outer, mlir::Value leading,
                             mlir::ValueRange rows);

} // namespace posenc

#endif // POSENC_VECTORIZE_KERNELS_H
