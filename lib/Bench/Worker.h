//===- Worker.h - Another process that answers in JSON ----------*- C++ -*-===//

#ifndef POSENC_BENCH_WORKER_H
#define POSENC_BENCH_WORKER_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/JSON.h"

#include <memory>
#include <string>

namespace posenc::bench {

/// A process that reads requests and writes answers, a line each. It ends with
/// this object.
class Worker {
public:
  static llvm::Expected<std::unique_ptr<Worker>>
  start(llvm::ArrayRef<std::string> command);
  ~Worker();

  /// Fails if the process has ended, or answers anything but an object.
  llvm::Expected<llvm::json::Object> ask(llvm::json::Value request);

  /// Stops all its threads, those that would spin included, and wakes them.
  void stop();
  void wake();

private:
  Worker(int process, int socket) : process(process), socket(socket) {}

  int process, socket;
  std::string unread;
};

} // namespace posenc::bench

#endif // POSENC_BENCH_WORKER_H
