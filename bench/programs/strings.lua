-- The twin of strings.src.
local WORDS = {"alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta"}

local function build(n)
  local parts = {}
  for i = 0, n - 1 do
    parts[#parts + 1] = WORDS[i % 8 + 1]
    parts[#parts + 1] = tostring(i % 100)
  end
  return table.concat(parts, " ")
end

local function scan(text)
  local count, length, longest = 0, #text, 0
  local start = 0
  for i = 0, length - 1 do
    if text:sub(i + 1, i + 1) == " " then
      if i - start > longest then
        longest = i - start
      end
      start = i + 1
      count = count + 1
    end
  end
  return count * longest
end

local function search(text, n)
  local total, at = 0, 0
  for _ = 1, n do
    local found = text:find("theta", at + 1, true)
    if not found then
      at = 0
    else
      at = found - 1
      total = total + at % 13
      at = at + 1
    end
  end
  return total
end

local function change(text)
  local other = text:gsub("a", "ee"):upper()
  local total = #other
  for i = 0, #text - 21, 10 do
    if text:sub(i + 1, i + 5) < "gamma" then
      total = total + 1
    end
  end
  return total
end

local total = 0
for i = 0, (tonumber(arg[1]) or 80) - 1 do
  local text = build(4000 + i)
  total = (total * 31 + #text + scan(text) + search(text, 2000) + change(text)) % 1000003
end
print(string.format("%d", total))
