// What all connections share: what to send, until when, and what came of it.
#pragma once

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <vector>

[[noreturn]] inline void fail(const std::string& why) {
  std::fprintf(stderr, "loader: %s\n", why.c_str());
  std::exit(1);
}

inline double now_s() {
  using namespace std::chrono;
  return duration<double>(steady_clock::now().time_since_epoch()).count();
}

struct Run {
  std::string authority, method, body;
  double measure_from = 0, until = 0;
  std::vector<uint32_t> took_us;
  uint64_t failed = 0, reply_bytes = 0;
  std::map<std::string, uint64_t> codes;
  std::string message;
};
