-- The twin of dicts.src.
local function words(n)
  local made, seed = {}, 7
  for i = 1, n do
    seed = (seed * 1103515 + 12345) % 2147483
    made[i] = "word" .. string.format("%d", seed % 1500)
  end
  return made
end

local function count(made)
  local counts, size = {}, 0
  for _, word in ipairs(made) do
    if counts[word] then
      counts[word] = counts[word] + 1
    else
      counts[word] = 1
      size = size + 1
    end
  end
  local best = 0
  for _, n in pairs(counts) do
    if n > best then
      best = n
    end
  end
  return best * 1000 + size
end

local function cache(n)
  local squares, total = {}, 0
  for i = 0, n - 1 do
    squares[i * 17] = i
    if i >= 200 then
      total = total + squares[(i - 200) * 17]
      squares[(i - 200) * 17] = nil
    end
  end
  return total
end

local function graph(n)
  local edges = {}
  for i = 0, n - 1 do
    local a, b = i % 251, (i * i) % 257
    if not edges[a] then
      edges[a] = {}
    end
    edges[a][b] = i
  end
  local total = 0
  for a in pairs(edges) do
    for b in pairs(edges[a]) do
      total = total + edges[a][b] % 3
    end
  end
  return total
end

local total = 0
local made = words(6000)
for i = 0, (tonumber(arg[1]) or 80) - 1 do
  total = (total * 31 + count(made) + cache(7000 + i) + graph(6000 + i)) % 1000003
end
print(string.format("%d", total))
