-- For wrk: sends one request, or the requests of a file of tokens in turn, and reports as JSON.

local path = os.getenv("BENCH_TOKENS")
if path then
  local requests, at = {}, tonumber(os.getenv("BENCH_OFFSET"))
  function init()
    for token in io.lines(path) do
      wrk.headers["authorization"] = "Bearer " .. token
      requests[#requests + 1] = wrk.format()
    end
  end
  function request()
    at = at % #requests + 1
    return requests[at]
  end
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests":%d,"duration_us":%d,"refused":%d,"failed":%d,"p50_us":%d,"p99_us":%d}\n',
    summary.requests, summary.duration, errors.status,
    errors.connect + errors.read + errors.write + errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
