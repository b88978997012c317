// A load generator for unary gRPC calls that costs a few microseconds a call: libnghttp2 over blocking poll(2), one thread.
//
//   loader HOST PORT METHOD BODY STREAMS CONNECTIONS WARMUP_S SECONDS
//
// A closed loop: STREAMS callers, spread over the connections, each of which sends the message in the file BODY again
// as soon as it is answered. A call succeeded when HTTP's status is 200 and the trailer grpc-status is 0; whatever else
// came is counted under its code. Calls count that end after the warm-up and within SECONDS of it.
// Prints "measuring" when the warm-up is over, and one line of JSON when the time is; then waits for what is under way.

#include <poll.h>
#include <sys/resource.h>

#include <algorithm>
#include <fstream>
#include <iterator>
#include <memory>

#include "connection.h"
#include "run.h"

namespace {

constexpr double kDrainS = 10.0;

std::string framed(const char* path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) fail(std::string("can't read ") + path);
  const std::string message((std::istreambuf_iterator<char>(file)), {});
  std::string body(5, '\0');
  for (int byte = 0; byte < 4; ++byte) body[1 + byte] = static_cast<char>(message.size() >> (24 - 8 * byte) & 0xff);
  return body + message;
}

double percentile_ms(std::vector<uint32_t>& took_us, double share) {
  if (took_us.empty()) return -1;
  const auto place = static_cast<size_t>(share * static_cast<double>(took_us.size() - 1));
  std::nth_element(took_us.begin(), took_us.begin() + static_cast<ptrdiff_t>(place), took_us.end());
  return took_us[place] / 1000.0;
}

double cpu_s() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  auto seconds = [](const timeval& time) { return static_cast<double>(time.tv_sec) + time.tv_usec / 1e6; };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

std::string quoted(const std::string& text) {
  std::string out = "\"";
  for (const char one : text) {
    if (one == '"' || one == '\\') out += '\\';
    out += static_cast<unsigned char>(one) < 0x20 ? ' ' : one;
  }
  return out + '"';
}

void report(Run& run, double elapsed_s, double used_s) {
  std::string codes;
  for (const auto& [code, count] : run.codes) {
    codes += (codes.empty() ? "" : ", ") + quoted(code) + ": " + std::to_string(count);
  }
  const size_t answered = run.took_us.size();
  std::printf(
      "{\"requests\": %zu, \"failed\": %llu, \"elapsed_s\": %.6f, \"p50_ms\": %.3f, \"p99_ms\": %.3f, "
      "\"max_ms\": %.3f, \"reply_bytes\": %llu, \"loader_cpu_s\": %.6f, \"codes\": {%s}, \"message\": %s}\n",
      answered, static_cast<unsigned long long>(run.failed), elapsed_s, percentile_ms(run.took_us, 0.50),
      percentile_ms(run.took_us, 0.99), percentile_ms(run.took_us, 1.0),
      static_cast<unsigned long long>(answered ? run.reply_bytes / answered : 0), used_s, codes.c_str(),
      quoted(run.message).c_str());
  std::fflush(stdout);
}

// One turn: say what is to be said, wait for an answer, take it in.
void turn(std::vector<std::unique_ptr<Connection>>& connections, std::vector<pollfd>& polled, double until) {
  for (size_t place = 0; place < connections.size(); ++place) {
    connections[place]->send_all();
    polled[place] = {connections[place]->fd(), connections[place]->wants(), 0};
  }
  const int wait_ms = std::max(0, static_cast<int>((until - now_s()) * 1000) + 1);
  if (poll(polled.data(), polled.size(), wait_ms) < 0 && errno != EINTR) fail("poll: " + std::string(strerror(errno)));
  for (size_t place = 0; place < connections.size(); ++place) {
    if (polled[place].revents & (POLLIN | POLLHUP | POLLERR)) connections[place]->receive();
  }
}

}  // namespace

int main(int count, char** given) {
  if (count != 9) fail("usage: loader HOST PORT METHOD BODY STREAMS CONNECTIONS WARMUP_S SECONDS");
  Run run;
  run.authority = std::string(given[1]) + ":" + given[2];
  run.method = given[3];
  run.body = framed(given[4]);
  const size_t streams = std::strtoul(given[5], nullptr, 10);
  const size_t many = std::strtoul(given[6], nullptr, 10);
  if (!streams || !many || streams < many) fail("give at least one connection, and a stream for each");
  run.measure_from = now_s() + std::strtod(given[7], nullptr);
  run.until = run.measure_from + std::strtod(given[8], nullptr);

  std::vector<std::unique_ptr<Connection>> connections;
  for (size_t place = 0; place < many; ++place) {
    connections.push_back(std::make_unique<Connection>(run, given[1], std::atoi(given[2])));
  }
  std::vector<pollfd> polled(many);
  for (size_t stream = 0; stream < streams; ++stream) connections[stream % many]->submit();

  while (now_s() < run.measure_from) turn(connections, polled, run.measure_from);
  const double used_before_s = cpu_s();
  std::puts("measuring");
  std::fflush(stdout);
  while (now_s() < run.until) turn(connections, polled, run.until);
  report(run, now_s() - run.measure_from, cpu_s() - used_before_s);

  const double gives_up = now_s() + kDrainS;
  auto busy = [](const auto& one) { return one->under_way() > 0; };
  while (std::any_of(connections.begin(), connections.end(), busy)) {
    if (now_s() >= gives_up) fail("calls were still under way 10 s after the end");
    turn(connections, polled, gives_up);
  }
}
