-- The twin of life.src.
local WIDTH, HEIGHT = 48, 40

local function make(seed)
  local grid = {}
  for y = 0, HEIGHT - 1 do
    local row = {}
    for x = 0, WIDTH - 1 do
      seed = (seed * 1103515 + 12345) % 2147483
      row[x + 1] = seed % 3 == 0 and 1 or 0
    end
    grid[y + 1] = row
  end
  return grid
end

local function step(grid)
  local after = {}
  for y = 0, HEIGHT - 1 do
    local up, row, down = grid[(y - 1) % HEIGHT + 1], grid[y + 1], grid[(y + 1) % HEIGHT + 1]
    local line = {}
    for x = 0, WIDTH - 1 do
      local left, at, right = (x - 1) % WIDTH + 1, x + 1, (x + 1) % WIDTH + 1
      local near = up[left] + up[at] + up[right] + row[left] + row[right] + down[left] + down[at] + down[right]
      if near == 3 or near == 2 and row[at] == 1 then
        line[at] = 1
      else
        line[at] = 0
      end
    end
    after[y + 1] = line
  end
  return after
end

local function alive(grid)
  local total = 0
  for y = 0, HEIGHT - 1 do
    local row = grid[y + 1]
    for x = 0, WIDTH - 1 do
      total = total + row[x + 1] * (x + y)
    end
  end
  return total
end

local total = 0
for i = 0, (tonumber(arg[1]) or 80) - 1 do
  local grid = make(i)
  for _ = 1, 12 do
    grid = step(grid)
  end
  total = (total * 31 + alive(grid)) % 1000003
end
print(string.format("%d", total))
