-- The twin of closures.src.
step = 3
counter = 0

function bump()
  counter = (counter + step) % 1000
  return counter
end

local function make_counter(start)
  local count = start
  return function(by)
    count = (count + by) % 1000
    return count
  end
end

local function compose(f, g)
  return function(x)
    return f(g(x))
  end
end

function double(x)
  return x * 2
end

local function work(n)
  local tick, other = make_counter(1), make_counter(2)
  local chain = compose(double, compose(function(x) return x + 1 end, double))
  local total = 0
  for i = 0, n - 1 do
    total = total + bump() + tick(i) + other(step) + chain(i)
    if i % 64 == 0 then
      tick = make_counter(i)
    end
  end
  return total
end

local total = 0
for i = 0, (tonumber(arg[1]) or 80) - 1 do
  total = (total * 31 + work(15000 + i)) % 1000003
end
print(string.format("%d", total))
