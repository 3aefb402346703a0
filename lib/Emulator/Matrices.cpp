//===- Matrices.cpp - Models of ldmatrix, stmatrix and mma ----------------===//
//
// The layouts are those of the PTX ISA. A fragment of a matrix of 8 x 8 elements
// of 16 bits is one register per lane: row lane / 4, columns 2 * (lane % 4) and
// the next one, the first in the lower half.
//
//===----------------------------------------------------------------------===//

#include "Checker.h"
#include "Counts.h"
#include "Model.h"
#include "Numbers.h"

using namespace posenc::emulator;

//===----------------------------------------------------------------------===//
// ldmatrix, stmatrix
//===----------------------------------------------------------------------===//

/// Lane 8 * m + r gives the address of row r of matrix m: 16 aligned bytes.
template <typename Each>
static void forEachRow(const Call &call, Rendezvous &warp, int matrices, bool isWrite, Each each) {
  Thread *self = call.block.thread;
  for (int row = 0; row < 8 * matrices; ++row) {
    auto *address = warp.get<uint16_t *>(row, 0);
    call.block.thread = warp.threads[row]; // errors name it
    if (!call.block.isShared(address))
      call.block.fail("%s: expected rows in shared memory, but row %d is elsewhere",
                      call.site.getName(), row);
    if (call.block.getOffset(address) % 16)
      call.block.fail("%s: expected 16 aligned bytes of shared memory, but row %d is at shared "
                      "offset %d",
                      call.site.getName(), row, int(call.block.getOffset(address)));
    if (call.block.run->checker)
      call.block.run->checker->access(call.block, address, 16, 16,
                                      isWrite ? Access::Write : Access::Read,
                                      call.site.getName());
    each(row, address);
  }
  call.block.thread = self;
  if (call.block.run->counts)
    call.block.run->counts->addMatrices(call.block, call.site, warp, matrices, isWrite);
}

static Model loadMatrix(int matrices, bool isTransposed) {
  return [=](const Call &call) {
    call.meet([=, &call](Rendezvous &warp) {
      uint16_t tiles[4][8][8];
      forEachRow(call, warp, matrices, /*isWrite=*/false, [&](int row, uint16_t *address) {
        std::memcpy(tiles[row / 8][row % 8], address, 16);
      });
      for (int lane = 0; lane < kWarpSize; ++lane)
        for (int m = 0; m < matrices; ++m) {
          int row = lane / 4, column = 2 * (lane % 4);
          uint16_t low = isTransposed ? tiles[m][column][row] : tiles[m][row][column];
          uint16_t high = isTransposed ? tiles[m][column + 1][row] : tiles[m][row][column + 1];
          static_cast<uint32_t *>(warp.results[lane])[m] = uint32_t(high) << 16 | low;
        }
    });
  };
}

static Model storeMatrix(int matrices, bool isTransposed) {
  return [=](const Call &call) {
    call.meet([=, &call](Rendezvous &warp) {
      uint16_t tiles[4][8][8];
      for (int lane = 0; lane < kWarpSize; ++lane)
        for (int m = 0; m < matrices; ++m) {
          auto pair = warp.get<uint32_t>(lane, 1 + m);
          int row = lane / 4, column = 2 * (lane % 4);
          for (int i = 0; i < 2; ++i)
            (isTransposed ? tiles[m][column + i][row] : tiles[m][row][column + i]) =
                pair >> 16 * i;
        }
      forEachRow(call, warp, matrices, /*isWrite=*/true, [&](int row, uint16_t *address) {
        std::memcpy(address, tiles[row / 8][row % 8], 16);
      });
    });
  };
}

//===----------------------------------------------------------------------===//
// mma
//===----------------------------------------------------------------------===//

namespace {
/// Elements of A and B in the 32 bits of a register.
struct F16 {
  static constexpr int perRegister = 2;
  static float get(uint32_t bits, int i) { return Half::fromBits(bits >> 16 * i); }
};
struct BF16 {
  static constexpr int perRegister = 2;
  static float get(uint32_t bits, int i) { return BFloat::fromBits(bits >> 16 * i); }
};
/// The lower bits of the mantissa are ignored.
struct TF32 {
  static constexpr int perRegister = 1;
  static float get(uint32_t bits, int) { return bitCast<float>(bits & 0xffffe000); }
};
} // namespace

/// D = A * B + C with A of 16 x k, B of k x 8 and C, D of 16 x 8. Along k, each
/// group of four lanes holds 4 * perRegister neighbours per register. Products
/// are exact; they are added in f64 and rounded once, which is at least as exact
/// as what a device does.
template <typename Element, typename Accumulator> static Model multiply(int k) {
  constexpr int per = Element::perRegister;
  const int steps = k / (4 * per); // registers of B; A has two rows of them
  return [=](const Call &call) {
    call.meet([=](Rendezvous &warp) {
      float a[16][16], b[16][8];
      for (int lane = 0; lane < kWarpSize; ++lane)
        for (int step = 0; step < steps; ++step)
          for (int i = 0; i < per; ++i) {
            int inner = 4 * per * step + per * (lane % 4) + i;
            for (int half = 0; half < 2; ++half)
              a[lane / 4 + 8 * half][inner] =
                  Element::get(warp.get<uint32_t>(lane, 2 * step + half), i);
            b[inner][lane / 4] = Element::get(warp.get<uint32_t>(lane, 2 * steps + step), i);
          }
      for (int lane = 0; lane < kWarpSize; ++lane)
        for (int i = 0; i < 4; ++i) {
          int row = lane / 4 + 8 * (i / 2), column = 2 * (lane % 4) + i % 2;
          double sum = Accumulator::load(warp, lane, 3 * steps, i);
          for (int inner = 0; inner < k; ++inner)
            sum += double(a[row][inner]) * b[inner][column];
          Accumulator::store(warp.results[lane], i, sum);
        }
    });
  };
}

namespace {
/// C and D as four floats, or as two pairs of f16.
struct WideAccumulator {
  static double load(Rendezvous &warp, int lane, int first, int i) {
    return warp.get<float>(lane, first + i);
  }
  static void store(void *result, int i, double value) {
    static_cast<float *>(result)[i] = value;
  }
};
struct HalfAccumulator {
  static double load(Rendezvous &warp, int lane, int first, int i) {
    return Half::fromBits(warp.get<uint32_t>(lane, first + i / 2) >> 16 * (i % 2));
  }
  static void store(void *result, int i, double value) {
    static_cast<uint16_t *>(result)[i] = toBits(Half(value));
  }
};
} // namespace

void posenc::emulator::addMatrices(Models &models) {
  for (int matrices : {1, 2, 4}) {
    std::string shape = "matrix.sync.aligned.m8n8.x" + std::to_string(matrices);
    models.add("ld" + shape + ".b16", loadMatrix(matrices, false));
    models.add("ld" + shape + ".trans.b16", loadMatrix(matrices, true));
    models.add("st" + shape + ".b16", storeMatrix(matrices, false));
    models.add("st" + shape + ".trans.b16", storeMatrix(matrices, true));
  }
  for (int k : {8, 16}) {
    std::string shape = "mma.m16n8k" + std::to_string(k) + ".row.col.";
    models.add(shape + "f32.f32", multiply<F16, WideAccumulator>(k));
    models.add(shape + "f16.f16", multiply<F16, HalfAccumulator>(k));
    models.add(shape + "bf16", multiply<BF16, WideAccumulator>(k));
  }
  models.add("mma.m16n8k4.row.col.tf32", multiply<TF32, WideAccumulator>(4));
  models.add("mma.m16n8k8.row.col.tf32", multiply<TF32, WideAccumulator>(8));
}
