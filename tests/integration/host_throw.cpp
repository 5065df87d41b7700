// SPDX-License-Identifier: Apache-2.0
// SPDX-FileCopyrightText: The p11prof authors
// Exceptions of C++ that go through C.

extern "C" {
void host_throw(void);
void host_catch(void (*run)(void));
}

void host_throw()
{
    throw 1;
}

void host_catch(void (*run)())
{
    try {
        run();
    } catch (int) {
    }
}
