// Package embeddedpg runs a private PostgreSQL for a trueup that was given no
// database: one server, one data directory, reachable through a Unix socket
// and by nobody else.
//
// It lives and dies with the process that started it. Stop shuts it down
// clean; if the process is killed, the kernel tells the server to shut down
// (Linux), and the next Start waits until it has.
//
// Two locks in the data directory keep order: "owner" is held by the process
// that started the server, so a second start is refused at once; "server" is
// inherited by every process of the server, so a start after a kill waits for
// the last of them.
//
// Binaries come from Config.BinDir, else from the npm package that make puts
// under deploy/postgres, else from the system. An existing data directory
// decides the major version.
package embeddedpg
