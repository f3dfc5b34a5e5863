-- The twin of arithmetic.src.
local floor = math.floor

local function walk(n)
  local seed, inside = 42, 0
  for _ = 1, n do
    seed = (seed * 1103515 + 12345) % 2147483
    local x = seed % 1000 - 500
    seed = (seed * 1103515 + 12345) % 2147483
    local y = seed % 1000 - 500
    if x * x + y * y <= 250000 then
      inside = inside + 1
    elseif x > y and -x < y then
      inside = inside + 2
    end
  end
  return inside
end

local function integral(n)
  local total, width = 0.0, 1.0 / n
  for i = 0, n - 1 do
    local x = (i + 0.5) * width
    total = total + 4.0 / (1.0 + x * x)
    if total > 1e9 then
      total = total * 0.5
    end
  end
  return total * width
end

local function collatz(limit)
  local longest = 0
  for start = 1, limit - 1 do
    local n, steps = start, 0
    while n ~= 1 do
      if n % 2 == 0 then
        n = floor(n / 2)
      else
        n = 3 * n + 1
      end
      steps = steps + 1
    end
    if steps > longest then
      longest = steps
    end
  end
  return longest
end

local total = 0
for i = 0, (tonumber(arg[1]) or 80) - 1 do
  total = (total * 31 + walk(20000 + i) + floor(integral(20000 + i) * 1000) + collatz(600)) % 1000003
end
print(string.format("%d", total))
