//===- Peers.h - The same cases in other libraries --------------*- C++ -*-===//

#ifndef POSENC_BENCH_PEERS_H
#define POSENC_BENCH_PEERS_H

#include "Bench/Case.h"
#include "Bench/Timing.h"
#include "Bench/Worker.h"

namespace posenc::bench {

struct PeerOptions {
  /// Names of libraries, or files; none: no peers.
  std::vector<std::string> libraries;
  /// The interpreter and the program that run them.
  std::string python, script;
};

/// A library that has computed a case, and is right.
struct Peer {
  std::string library, version;
  std::unique_ptr<Worker> worker;
  double error = 0;
  Contender contender;
};

/// Whom nothing can be timed of, and why.
struct PeerNotes {
  llvm::SmallVector<std::string> absent, others;
  void print(llvm::raw_ostream &os) const;
};

/// Has each library compute `source`, and compares its result as ours. Those that
/// cannot, or are wrong, are noted.
std::vector<std::unique_ptr<Peer>> startPeers(const Case &source, unsigned threads,
                                              const PeerOptions &options, PeerNotes &notes);

} // namespace posenc::bench

#endif // POSENC_BENCH_PEERS_H
