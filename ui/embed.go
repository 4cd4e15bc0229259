// Package ui is the web pages: their sources, and the files that `make ui` makes of them.
//
// A clone without them builds too: Pages then says how to get them. pages.go is how they
// are handed out; README.md says how the sources are laid out.
package ui

import (
	"embed"
	"io/fs"
)

//go:embed all:dist
var dist embed.FS

// Files are the built files, index.html at the top; only .gitkeep where nothing was built.
func Files() fs.FS {
	built, err := fs.Sub(dist, "dist")
	if err != nil {
		panic(err) // the name is valid
	}
	return built
}
