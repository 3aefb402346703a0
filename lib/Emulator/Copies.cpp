//===- Copies.cpp - Models of asynchronous copies -------------------------===//

#include "Checker.h"
#include "Counts.h"
#include "Model.h"

using namespace posenc::emulator;

/// Operands are the address in shared memory, that in global memory and, with
/// `hasSize`, how many bytes to read; the rest is filled with zeros.
static Model copyAsync(int bytes, bool hasSize) {
  return [=](const Call &call) {
    Copy copy = {call.get<char *>(0), call.get<const char *>(1), bytes, bytes};
    if (hasSize) {
      copy.sourceBytes = call.get<int>(2);
      if (copy.sourceBytes < 0 || copy.sourceBytes > bytes)
        call.block.fail("%s: expected to read 0 to %d bytes, but got %d", call.site.getName(),
                        bytes, copy.sourceBytes);
    }
    if (!call.block.isShared(copy.to))
      call.block.fail("%s: expected a destination in shared memory", call.site.getName());
    if (call.block.run->checker)
      call.block.run->checker->startCopy(call.block, copy, call.site.getName());
    if (call.block.run->counts)
      call.block.run->counts->addCopy(call.block, call.site, copy);
    call.block.issue(copy);
  };
}

void posenc::emulator::addCopies(Models &models) {
  for (std::string cache : {"ca", "cg"})
    for (int bytes : {4, 8, 16})
      for (bool hasSize : {false, true})
        models.add("cp.async." + cache + ".shared.global." + std::to_string(bytes) +
                       (hasSize ? ".s" : ""),
                   copyAsync(bytes, hasSize));
  auto commit = [](Thread &thread) {
    thread.groups.push_back(std::move(thread.copies));
    thread.copies.clear();
  };
  models.add("cp.async.commit.group", [=](const Call &call) { commit(call.thread()); });
  models.add("cp.async.wait.group", [](const Call &call) {
    call.block.finishCopies(call.thread(), call.get<int>(0));
  });
  models.add("cp.async.wait.all", [=](const Call &call) {
    commit(call.thread());
    call.block.finishCopies(call.thread(), 0);
  });
}
