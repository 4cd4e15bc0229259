package api

// SetupBook is what the screen needs. D1: how far setting up is.
type SetupBook interface{}

type setupScreen struct {
	book SetupBook
}
