// One HTTP/2 connection, its calls, and whether each was answered.
#pragma once

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <nghttp2/nghttp2.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <iterator>
#include <memory>
#include <string>
#include <string_view>

#include "run.h"

constexpr int32_t kWindowBytes = 1 << 30;

struct Call {
  double began = 0;
  size_t sent = 0, received = 0;
  std::string http, grpc, message;
};

class Connection {
 public:
  Connection(Run& run, const char* host, int port) : run_(run) {
    fd_ = socket(AF_INET, SOCK_STREAM, 0);
    sockaddr_in peer{};
    peer.sin_family = AF_INET;
    peer.sin_port = htons(static_cast<uint16_t>(port));
    if (inet_pton(AF_INET, host, &peer.sin_addr) != 1) fail("HOST must be an IPv4 address");
    if (connect(fd_, reinterpret_cast<sockaddr*>(&peer), sizeof peer) != 0) fail("connect: " + std::string(strerror(errno)));
    const int on = 1;
    setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    fcntl(fd_, F_SETFL, O_NONBLOCK);
    nghttp2_session_callbacks* callbacks;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    nghttp2_session_client_new(&session_, callbacks, this);
    nghttp2_session_callbacks_del(callbacks);
    const nghttp2_settings_entry settings[] = {{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, kWindowBytes},
                                               {NGHTTP2_SETTINGS_ENABLE_PUSH, 0}};
    nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, settings, 2);
    nghttp2_session_set_local_window_size(session_, NGHTTP2_FLAG_NONE, 0, kWindowBytes);
  }

  void submit() {
    auto call = std::make_unique<Call>();
    call->began = now_s();
    const nghttp2_nv headers[] = {pair(":method", "POST"),       pair(":scheme", "http"),
                                  pair(":path", run_.method),    pair(":authority", run_.authority),
                                  pair("te", "trailers"),        pair("content-type", "application/grpc"),
                                  pair("user-agent", "slipway-loader")};
    nghttp2_data_provider body{};
    body.source.ptr = call.get();
    body.read_callback = read_body;
    const int32_t id = nghttp2_submit_request(session_, nullptr, headers, std::size(headers), &body, call.get());
    if (id < 0) fail(nghttp2_strerror(id));
    call.release();  // on_close takes it back
    ++under_way_;
  }

  int fd() const { return fd_; }
  size_t under_way() const { return under_way_; }
  short wants() const { return static_cast<short>(POLLIN | (out_.size() > written_ ? POLLOUT : 0)); }

  void receive() {
    uint8_t bytes[65536];
    for (;;) {
      const ssize_t got = recv(fd_, bytes, sizeof bytes, 0);
      if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
      if (got <= 0) fail("the server closed the connection");
      const ssize_t used = nghttp2_session_mem_recv(session_, bytes, static_cast<size_t>(got));
      if (used < 0) fail(std::string("HTTP/2: ") + nghttp2_strerror(static_cast<int>(used)));
      if (got < static_cast<ssize_t>(sizeof bytes)) return;
    }
  }

  // Everything that is to be said goes out in one write.
  void send_all() {
    for (const uint8_t* bytes;;) {
      const ssize_t size = nghttp2_session_mem_send(session_, &bytes);
      if (size < 0) fail(std::string("HTTP/2: ") + nghttp2_strerror(static_cast<int>(size)));
      if (size == 0) break;
      out_.append(reinterpret_cast<const char*>(bytes), static_cast<size_t>(size));
    }
    while (written_ < out_.size()) {
      const ssize_t sent = send(fd_, out_.data() + written_, out_.size() - written_, MSG_NOSIGNAL);
      if (sent < 0 && errno == EAGAIN) return;
      if (sent < 0) fail("send: " + std::string(strerror(errno)));
      written_ += static_cast<size_t>(sent);
    }
    out_.clear();
    written_ = 0;
  }

 private:
  // Views of what outlives the call: literals, and members of the run.
  static nghttp2_nv pair(std::string_view name, std::string_view value) {
    auto bytes = [](std::string_view text) { return reinterpret_cast<uint8_t*>(const_cast<char*>(text.data())); };
    return {bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
  }

  static ssize_t read_body(nghttp2_session*, int32_t, uint8_t* into, size_t room, uint32_t* flags,
                           nghttp2_data_source* source, void* self) {
    const std::string& body = static_cast<Connection*>(self)->run_.body;
    auto* call = static_cast<Call*>(source->ptr);
    const size_t size = std::min(room, body.size() - call->sent);
    std::memcpy(into, body.data() + call->sent, size);
    call->sent += size;
    if (call->sent == body.size()) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return static_cast<ssize_t>(size);
  }

  static Call* call_of(nghttp2_session* session, int32_t id) {
    return static_cast<Call*>(nghttp2_session_get_stream_user_data(session, id));
  }

  static int on_header(nghttp2_session* session, const nghttp2_frame* frame, const uint8_t* name, size_t name_size,
                       const uint8_t* value, size_t value_size, uint8_t, void*) {
    Call* call = call_of(session, frame->hd.stream_id);
    if (!call) return 0;
    const std::string key(reinterpret_cast<const char*>(name), name_size);
    std::string* where = key == ":status" ? &call->http : key == "grpc-status" ? &call->grpc : nullptr;
    if (key == "grpc-message") where = &call->message;
    if (where) where->assign(reinterpret_cast<const char*>(value), value_size);
    return 0;
  }

  static int on_data(nghttp2_session* session, uint8_t, int32_t id, const uint8_t*, size_t size, void*) {
    if (Call* call = call_of(session, id)) call->received += size;
    return 0;
  }

  static int on_close(nghttp2_session* session, int32_t id, uint32_t error, void* self) {
    std::unique_ptr<Call> call(call_of(session, id));
    if (call) static_cast<Connection*>(self)->ended(*call, error);
    return 0;
  }

  void ended(const Call& call, uint32_t error) {
    --under_way_;
    const double now = now_s();
    if (now >= run_.measure_from && now < run_.until) {
      // A reply without a message (its 5 bytes of prefix, at least) is no answer, whatever the trailers say.
      if (error == 0 && call.http == "200" && call.grpc == "0" && call.received >= 5) {
        run_.took_us.push_back(static_cast<uint32_t>((now - call.began) * 1e6));
        run_.reply_bytes += call.received;
      } else {
        ++run_.failed;
        ++run_.codes[error            ? "HTTP/2 error " + std::to_string(error)
                     : call.grpc == "" ? "HTTP status " + call.http
                                       : "grpc-status " + call.grpc];
        if (run_.message.empty()) run_.message = call.message;
      }
    }
    if (now < run_.until) submit();
  }

  Run& run_;
  int fd_;
  nghttp2_session* session_ = nullptr;
  size_t under_way_ = 0, written_ = 0;
  std::string out_;
};
