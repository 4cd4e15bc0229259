//go:build unix && !linux

package embeddedpg

import "syscall"

// attr are the process attributes. Other systems know no signal for a parent's
// death: there the server outlives a killed trueup, and the next start waits
// for somebody to end it.
func (r runAs) attr(server bool) *syscall.SysProcAttr {
	a := &syscall.SysProcAttr{Setpgid: server}
	if r.drop {
		a.Credential = &syscall.Credential{Uid: r.uid, Gid: r.gid}
	}
	return a
}
