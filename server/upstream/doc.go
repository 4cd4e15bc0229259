// Package upstream is the one way out: every call that Trueup makes to another
// system goes through a client made here.
//
// A call passes, from the outside in:
//
//	retry      whole call: which answers are worth another attempt, and when
//	breaker    per target and host: a host that is down is not called at all
//	budget     calls a minute: waits until the next attempt is allowed
//	attempt    one time-out, one count, the answer read whole and capped
//	guard      at the socket, after name resolution: no private addresses
//
// Breaker and budget sit below retry, so that each attempt counts and not each
// call. Redirects are never followed: a redirect is an answer with status 3xx.
//
// What is never written to a log or an error by this package: headers, bodies,
// paths, queries and user information. Targets are known by name and host.
package upstream
