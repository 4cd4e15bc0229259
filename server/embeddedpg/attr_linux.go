package embeddedpg

import "syscall"

// capDACReadSearch is CAP_DAC_READ_SEARCH of capabilities(7): pass and read
// directories whatever their mode.
const capDACReadSearch = 2

// attr are the process attributes; server says it is the one that lives on.
// SIGINT is PostgreSQL's fast shutdown: when we die it still ends clean.
func (r runAs) attr(server bool) *syscall.SysProcAttr {
	a := &syscall.SysProcAttr{}
	if r.drop {
		a.Credential = &syscall.Credential{Uid: r.uid, Gid: r.gid}
	}
	if r.passAll {
		a.AmbientCaps = []uintptr{capDACReadSearch}
	}
	if server {
		a.Setpgid = true
		a.Pdeathsig = syscall.SIGINT
	}
	return a
}
