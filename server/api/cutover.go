package api

// CutoverBook is what the screen needs. Ending lines of another tool.
type CutoverBook interface{}

type cutoverScreen struct {
	book CutoverBook
}
