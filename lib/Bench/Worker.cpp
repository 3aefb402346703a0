//===- Worker.cpp - Another process that answers in JSON ------------------===//

#include "Bench/Worker.h"

#include "posenc/Jit/HostTensor.h"
#include "llvm/Support/FormatVariadic.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace posenc;
using namespace posenc::bench;

extern char **environ;

llvm::Expected<std::unique_ptr<Worker>>
Worker::start(llvm::ArrayRef<std::string> command) {
  // A socket, as writing to a pipe whose reader has ended would end us.
  int sockets[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets))
    return makeError(llvm::Twine("cannot start a process: ") + std::strerror(errno));
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, sockets[1], 0);
  posix_spawn_file_actions_adddup2(&actions, sockets[1], 1);
  posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
  // A group of its own, so that stopping it stops its children.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
  llvm::SmallVector<char *> arguments;
  for (const std::string &argument : command)
    arguments.push_back(const_cast<char *>(argument.c_str()));
  arguments.push_back(nullptr);
  pid_t process;
  int error =
      posix_spawn(&process, arguments[0], &actions, &attributes, arguments.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  close(sockets[1]);
  if (error) {
    close(sockets[0]);
    return makeError("cannot start '" + command[0] + "': " + std::strerror(error));
  }
  return std::unique_ptr<Worker>(new Worker(process, sockets[0]));
}

Worker::~Worker() {
  close(socket);
  kill(-process, SIGKILL);
  waitpid(process, nullptr, 0);
}

llvm::Expected<llvm::json::Object> Worker::ask(llvm::json::Value request) {
  std::string line = llvm::formatv("{0}\n", request);
  for (llvm::StringRef rest = line; !rest.empty();) {
    ssize_t count = send(socket, rest.data(), rest.size(), MSG_NOSIGNAL);
    if (count < 0 && errno != EINTR)
      return makeError("it ended unexpectedly");
    rest = rest.drop_front(std::max<ssize_t>(count, 0));
  }
  size_t end;
  while ((end = unread.find('\n')) == std::string::npos) {
    char buffer[4096];
    ssize_t count = read(socket, buffer, sizeof(buffer));
    if (count == 0 || (count < 0 && errno != EINTR))
      return makeError("it ended unexpectedly");
    unread.append(buffer, std::max<ssize_t>(count, 0));
  }
  auto answer = llvm::json::parse(llvm::StringRef(unread).take_front(end));
  unread.erase(0, end + 1);
  if (!answer)
    return answer.takeError();
  if (llvm::json::Object *object = answer->getAsObject())
    return std::move(*object);
  return makeError("it does not answer with an object");
}

void Worker::stop() { kill(-process, SIGSTOP); }

void Worker::wake() { kill(-process, SIGCONT); }
