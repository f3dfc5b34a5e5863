// Version of the library and of the language it runs.
#pragma once

#define MINIVM_VERSION "0.1.0"
#define MINIVM_LANGUAGE_VERSION "3.13.0"
