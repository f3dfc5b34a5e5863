// Everything of the public API.
#pragma once

#include "minivm/error.h"
#include "minivm/version.h"
#include "minivm/vm.h"
