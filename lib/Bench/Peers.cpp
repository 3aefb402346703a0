//===- Peers.cpp - The same cases in other libraries ----------------------===//

#include "Bench/Peers.h"

#include "posenc/Jit/Npy.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/Path.h"

#include <chrono>
#include <thread>

using namespace posenc;
using namespace posenc::bench;
namespace json = llvm::json;

/// After their last work, our own threads wait for more for at most this long.
static constexpr auto kIdle = std::chrono::milliseconds(15);

void PeerNotes::print(llvm::raw_ostream &os) const {
  for (const std::string &note : others)
    os << "note: " << note << '\n';
  if (!absent.empty())
    os << "note: not installed: " << llvm::join(absent, ", ") << '\n';
}

/// Files of the inputs, and of constants, by their names in `folder`.
static llvm::Expected<json::Object> writeInputs(const Case &source, llvm::StringRef folder) {
  json::Object paths;
  auto write = [&](const std::string &name, const HostTensor &tensor) {
    llvm::SmallString<128> path(folder);
    llvm::sys::path::append(path, name + ".npy");
    paths[name] = path.str().str();
    return writeNpy(path, tensor);
  };
  for (auto [name, input] : llvm::zip_equal(source.inputNames, source.inputs))
    if (llvm::Error error = write(name, input))
      return error;
  for (auto &[name, constant] : source.constants)
    if (llvm::Error error = write(name, *constant))
      return error;
  return paths;
}

static llvm::Expected<double> getError(Worker &worker, const Case &source,
                                       llvm::StringRef folder) {
  llvm::SmallString<128> path(folder);
  llvm::sys::path::append(path, "result.npy");
  auto answer = worker.ask(json::Object{{"write", path.str().str()}});
  if (!answer)
    return answer.takeError();
  if (auto reason = answer->getString("lacks"))
    return makeError(*reason);
  auto result = readNpy(path, ElementKind::F32);
  if (!result)
    return result.takeError();
  return checkResults(source, *result);
}

/// Null if it was noted.
static llvm::Expected<std::unique_ptr<Peer>>
startPeer(const Case &source, unsigned threads, const json::Object &inputs,
          llvm::StringRef library, llvm::StringRef folder, const PeerOptions &options,
          PeerNotes &notes) {
  auto worker = Worker::start({options.python, options.script, library.str()});
  if (!worker)
    return worker.takeError();
  auto answer = (*worker)->ask(json::Object{{"problem", source.peerProblem},
                                            {"inputs", json::Object(inputs)},
                                            {"threads", int64_t(threads)}});
  if (!answer)
    return answer.takeError();
  auto peer = std::make_unique<Peer>();
  peer->library = llvm::sys::path::stem(library).str();
  if (answer->getString("absent")) {
    notes.absent.push_back(peer->library);
    return nullptr;
  }
  if (auto reason = answer->getString("lacks"))
    return makeError(*reason);
  peer->version = answer->getString("version").value_or("").str();
  if (auto way = answer->getString("way"))
    peer->version += " " + way->str();
  auto error = getError(**worker, source, folder);
  if (!error)
    return error.takeError();
  peer->error = *error;
  peer->worker = std::move(*worker);
  peer->worker->stop();
  peer->contender.enter = [self = peer->worker.get()] {
    std::this_thread::sleep_for(kIdle);
    self->wake();
  };
  peer->contender.leave = [self = peer->worker.get()] { self->stop(); };
  peer->contender.run = [self = peer->worker.get()]() -> llvm::Expected<double> {
    auto answer = self->ask(json::Object{{"run", true}});
    if (!answer)
      return answer.takeError();
    if (auto seconds = answer->getNumber("seconds"))
      return *seconds;
    return makeError(answer->getString("lacks").value_or("it says no time"));
  };
  return peer;
}

std::vector<std::unique_ptr<Peer>>
posenc::bench::startPeers(const Case &source, unsigned threads, const PeerOptions &options,
                          PeerNotes &notes) {
  std::vector<std::unique_ptr<Peer>> peers;
  if (options.libraries.empty())
    return peers;
  auto note = [&](const llvm::Twine &who, llvm::Error error) {
    notes.others.push_back((who + ": " + llvm::toString(std::move(error))).str());
  };
  if (source.peerProblem.kind() == json::Value::Null) {
    note(source.name, makeError("not known to other libraries"));
    return peers;
  }
  llvm::SmallString<128> folder;
  if (std::error_code error = llvm::sys::fs::createUniqueDirectory("pe-bench", folder)) {
    note(source.name, makeError("cannot write inputs: " + error.message()));
    return peers;
  }
  auto remove = llvm::scope_exit([&] { llvm::sys::fs::remove_directories(folder); });
  auto inputs = writeInputs(source, folder);
  if (!inputs) {
    note(source.name, inputs.takeError());
    return peers;
  }
  for (const std::string &library : options.libraries) {
    auto peer = startPeer(source, threads, *inputs, library, folder, options, notes);
    if (!peer)
      note(source.name + ": " + llvm::sys::path::stem(library), peer.takeError());
    else if (*peer)
      peers.push_back(std::move(*peer));
  }
  return peers;
}
