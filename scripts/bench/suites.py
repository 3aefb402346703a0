"""What `make bench` measures: for each suite a title and the arguments of pe-bench."""

LONG = ["--repeat=3", "--min-time=0.2"]
MINILM = ["model", "build/bench/minilm.mlir", "--entry=embed", "--peers-model=build/models/minilm"]


def attention(*arguments):
    return ["attention", *arguments]


def minilm(shape, *arguments):
    return [*MINILM, f"--input={shape}=random", f"--input={shape}=ones", *arguments]


# IREE takes seconds for attention of 1024 rows, and minutes for 4096.
PEERS = "--peers=onnxruntime,openvino,torch,jax"
ALL_PEERS = PEERS + ",iree"
BF16 = "--dtype=bf16"
SEVEN = "--pipeline=posenc-cpu{seven-products}"
GROUPED = ["--heads=32", "--kv-heads=8", "--dim=128"]
# Four times the last-level cache of the machine that docs/benchmarks.md is from.
COLD = [*GROUPED, "--kv=16384", *LONG]

# Suites for GPUs run when they are asked for: `make gpu`.
GPU = ["--device=cuda", "--dtype=bf16", "--peers=torch_cuda"]
LARGE = ["--heads=16", "--dim=128", "--q=8192"]

SUITES = {
    "attention": ("Attention, one thread", [
        attention("--q=1024", PEERS),
        attention("--q=4096", PEERS, *LONG),
        attention("--q=512", "--causal", PEERS),
        attention("--q=1024", "--causal", PEERS),
        attention("--q=4096", "--causal", PEERS, *LONG),
        attention("--dim=128", "--causal", PEERS),
        attention("--causal", *GROUPED, PEERS, *LONG),
        attention("--dim=128", "--causal", "--encoding=rope", PEERS),
        attention("--causal", "--encoding=alibi", PEERS),
        attention("--encoding=t5", PEERS),
        attention("--q=4096", "--causal", "--window=256", PEERS, *LONG),
        attention("--q=1", "--kv=4096", *GROUPED, PEERS),
        attention("--heads=12", "--dim=32", "--q=128", ALL_PEERS),
    ]),
    "minilm": ("all-MiniLM-L6-v2, one thread", [
        minilm("1x16", ALL_PEERS), minilm("1x128", ALL_PEERS), minilm("8x128", ALL_PEERS),
        minilm("1x512", ALL_PEERS),
    ]),
    "minilm-seven": ("all-MiniLM-L6-v2 by seven products, one thread", [
        minilm("8x128", SEVEN, PEERS), minilm("1x512", SEVEN, PEERS),
    ]),
    "minilm-bf16": ("all-MiniLM-L6-v2 in bf16, one thread", [
        minilm("1x16", BF16, PEERS), minilm("1x128", BF16, PEERS), minilm("8x128", BF16, PEERS),
        minilm("1x512", BF16, PEERS),
    ]),
    "attention-bf16": ("Attention in bf16, one thread", [
        attention("--q=1024", BF16, PEERS), attention("--q=1024", "--causal", BF16, PEERS),
        attention("--dim=128", "--causal", BF16, PEERS),
    ]),
    "shapes": ("Attention by shape and type, one thread", [
        attention("--dim=128"), attention("--dim=256"), attention("--q=777"), attention("--q=1001"),
        attention("--layout=bshd"), attention("--dynamic"),
        attention("--dtype=bf16"), attention("--dtype=f16"),
        attention("--cpu=znver3"), attention("--cpu=znver3", "--dim=128"),
    ]),
    "decode": ("Decoding, and parts of a prompt, in rows and in a cache", [
        attention("--q=1", *COLD), attention("--q=1", "--cache", *COLD),
        attention("--q=4", "--causal", *COLD), attention("--q=4", "--causal", "--cache", *COLD),
        attention("--q=16", "--causal", "--cache", *COLD),
        *(attention(q, "--causal", *cache, *GROUPED, "--kv=4096", *LONG)
          for q in ("--q=64", "--q=1024") for cache in ([], ["--cache"])),
        attention("--q=1", "--cache", "--encoding=rope", *COLD),
        attention("--q=1", "--cache", "--dtype=bf16", *COLD),
        attention("--q=1", "--cache", "--cpu=znver3", *COLD),
        attention("--q=1", "--threads=2", *COLD),
        attention("--q=1", "--cache", "--threads=2", *COLD),
    ]),
    "encodings": ("Encodings beside plain attention, one thread", [
        # Many rounds, as differences of some per cent are what counts.
        ["encodings", "--dim=64", "--q=1024", "--repeat=60"],
        ["encodings", "--dim=64", "--q=1024", "--causal", "--repeat=60"],
        ["encodings", "--dim=128", "--q=1024", "--causal", "--repeat=60"],
        ["encodings", "--dim=64", "--q=1024", "--causal", BF16, "--repeat=60"],
    ]),
    "linear": ("Linear layers, one thread", [
        ["gemm", "--m=1024", "--n=1024", "--k=1024", PEERS],
        ["gemm", "--m=128", "--n=1536", "--k=384", "--bias", "--gelu", PEERS],
        ["gemm", "--m=128", "--n=384", "--k=1536", "--bias", PEERS],
        ["gemm", "--m=16", "--n=1152", "--k=384", "--bias", PEERS],
        ["gemm", "--m=1", "--n=4096", "--k=4096", PEERS],
        ["gemm", "--m=1024", "--n=1024", "--k=1024", "--dtype=bf16", PEERS],
    ]),
    "threads": ("Two threads", [
        attention("--q=1024", "--threads=2", PEERS),
        attention("--q=1024", "--causal", "--threads=2", PEERS),
        attention("--q=4096", "--heads=1", "--threads=2", PEERS, *LONG),
        attention("--q=1", "--kv=4096", *GROUPED, "--threads=2", PEERS),
        minilm("1x128", "--threads=2", PEERS),
        minilm("8x128", "--threads=2", PEERS, *LONG),
    ]),
    "gpu": ("Attention on a GPU", [
        attention(*GPU, *LARGE),
        attention(*GPU, *LARGE, "--causal"),
        attention(*GPU, *LARGE, "--causal", "--encoding=rope"),
        attention(*GPU, *LARGE, "--causal", "--encoding=alibi"),
        attention(*GPU, *LARGE, "--encoding=t5"),
        attention(*GPU, *LARGE, "--causal", "--window=1024"),
        attention(*GPU, *GROUPED, "--q=8192", "--causal"),
        attention(*GPU, "--heads=32", "--q=8192", "--causal"),
        attention(*GPU, "--batch=4", "--heads=12", "--dim=32", "--q=512"),
        attention(*GPU, *GROUPED, "--batch=8", "--q=1", "--kv=8192"),
        attention("--device=cuda", BF16, *GROUPED, "--batch=8", "--q=1", "--kv=8192", "--cache"),
        attention("--device=cuda", "--peers=torch_cuda", "--q=2048", "--causal"),
    ]),
    "gpu-encodings": ("Encodings on a GPU", [
        ["encodings", "--device=cuda", "--dtype=bf16", "--heads=32", "--dim=128", "--q=8192", *LONG],
    ]),
    "gpu-linear": ("Linear layers and a model on a GPU", [
        ["gemm", *GPU, "--m=4096", "--n=4096", "--k=4096"],
        ["gemm", *GPU, "--m=2048", "--n=1536", "--k=384", "--bias", "--gelu"],
        ["gemm", "--device=cuda", "--peers=torch_cuda", "--m=2048", "--n=2048", "--k=2048"],
        ["model", "build/bench/minilm.mlir", "--entry=embed", "--input=32x128=random",
         "--input=32x128=ones", "--device=cuda"],
    ]),
}
