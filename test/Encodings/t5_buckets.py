"""Compares the bucket tables in the lowered IR with the published starts."""

import re
import subprocess
import sys
from fractions import Fraction

PUBLISHED = {
    (32, 128, ""): [0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16, 23, 32, 46, 64, 91],
    (32, 128, "causal"): [*range(16), 16, 19, 21, 24, 27, 31, 35, 40, 46, 52, 59, 67, 77, 87, 99,
                          113],
}


def exact(buckets, distance, causal):
    """Starts from the definition: (n/m)^(K-m) >= (X/m)^k in rationals."""
    side = buckets if causal else buckets // 2
    m = side // 2
    starts = list(range(m + 1))
    for k in range(1, side - m):
        n = starts[-1]
        while Fraction(n, m) ** (side - m) < Fraction(distance, m) ** k:
            n += 1
        starts.append(n)
    return starts


def compiled(buckets, distance, causal):
    ir = f"""
func.func @f(%s: tensor<1x2x5x6xf32>, %t: tensor<{buckets}x2xf32>) -> tensor<1x2x5x6xf32> {{
  %0 = posenc.t5_bucket %s table(%t) {{max_distance = {distance} : i64{", causal" if causal else ""}}}
    : (tensor<1x2x5x6xf32>, tensor<{buckets}x2xf32>) -> tensor<1x2x5x6xf32>
  return %0 : tensor<1x2x5x6xf32>
}}"""
    text = subprocess.run(
        ["pe-opt", "--posenc-decompose", "--mlir-print-elementsattrs-with-hex-if-larger=-1"],
        input=ir, capture_output=True, text=True, check=True).stdout
    table = re.search(r"dense<\[([^\]]*)\]> : tensor<\d+xi32>", text).group(1)
    table = [int(x) for x in table.split(",")]
    assert len(table) == distance + 1
    count = (buckets if causal else buckets // 2)
    return [next((n for n, b in enumerate(table) if b >= k), len(table)) for k in range(count)]


def main():
    for case in [*PUBLISHED, (4, 2, ""), (2, 2, "causal"), (8, 7, ""), (320, 800, ""),
                 (64, 1000, "causal")]:
        want = exact(*case)
        if case in PUBLISHED:
            assert want == PUBLISHED[case], (case, want)
        if (have := compiled(*case)) != want:
            sys.exit(f"{case}: expected starts {want}, but found {have}")


if __name__ == "__main__":
    main()
