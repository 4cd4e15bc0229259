package main

import (
	_ "embed"

	"trueup/server/sim/scenario"
)

// A world whose names are written to break pages, and the workspace that bills it.
var (
	//go:embed hostile.txtar
	hostileWorld string
	//go:embed hostile.yaml
	hostileWorkspace string
)

// open reads a world and the file of its workspace: the demonstration's, or the hostile one.
func open(hostile bool) (*scenario.Scenario, string, error) {
	if !hostile {
		return scenario.Open("demo")
	}
	world, err := scenario.Load([]byte(hostileWorld))
	return world, hostileWorkspace, err
}
