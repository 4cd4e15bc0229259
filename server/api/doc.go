// Package api is the door for people and programs: openapi.yaml says what it answers,
// generated.go is made of it by `make generate`, and everything else here holds what the
// document can't.
//
// The way of a request is server.go, from top to bottom: find the operation's route
// (routes.go), know who asks and whether they may (admit.go), check the request against
// the document (check.go), answer it (a file a screen), and say what went wrong
// (errors.go is the one table of that). An operation without an x-role, or without a
// handler, stops the start: nothing is open by being forgotten.
//
// A screen is a file: an interface of what it needs, which main fulfils from the store
// and the flow, and one method an operation. A method takes the request as checked, asks
// principal(ctx) in which workspace it works, and returns the generated response or an
// error; it decides nothing about status codes, logging or roles.
//
// Each interface is asked within a workspace, whose id comes from the principal and from
// nowhere else. What isn't in that workspace is ErrNotFound.
package api
