-- The twin of attributes.src.
local Vector = {}
Vector.__index = Vector

function Vector.new(x, y)
  return setmetatable({x = x, y = y}, Vector)
end

function Vector:add(other)
  self.x = (self.x + other.x) % 1000
  self.y = (self.y + other.y) % 1000
end

function Vector:dot(other)
  return self.x * other.x + self.y * other.y
end

local Body = {}
Body.__index = Body

function Body.new(class, place, speed)
  return setmetatable({place = place, speed = speed, steps = 0}, class)
end

function Body:step()
  self.place:add(self.speed)
  self.steps = self.steps + 1
  return self.place.x + self.speed.y
end

local Falling = setmetatable({}, {__index = Body})
Falling.__index = Falling

function Falling:step()
  self.speed.y = (self.speed.y + 1) % 50
  self.place:add(self.speed)
  return self.steps
end

local function work(n)
  local bodies = {
    Body.new(Body, Vector.new(1, 2), Vector.new(3, 4)),
    Body.new(Falling, Vector.new(5, 6), Vector.new(7, 8)),
    Body.new(Body, Vector.new(9, 1), Vector.new(2, 3)),
  }
  local total = 0
  for _ = 1, n do
    for _, body in ipairs(bodies) do
      total = total + body:step()
    end
    total = total + bodies[1].place:dot(bodies[2].speed)
    bodies[3].place.x = bodies[2].place.y
  end
  return total
end

local total = 0
for i = 0, (tonumber(arg[1]) or 80) - 1 do
  total = (total * 31 + work(10000 + i)) % 1000003
end
print(string.format("%d", total))
