package api

import (
	"context"
	"time"

	"trueup/plugin"
	"trueup/server/billing"
)

// InstallationBook makes screens and callbacks inside Manage, and removes them.
type InstallationBook interface {
	// Installation is what was made, as it was when it was last looked at. Nothing is asked
	// of Manage.
	Installation(ctx context.Context, w billing.WorkspaceID) (InstallationState, error)
	// Install makes or repairs it, and keeps who did it. What isn't done in some seconds goes
	// on, and Running of the state says so. ErrBusy when somebody is at it.
	Install(ctx context.Context, by billing.Actor, w billing.WorkspaceID) (InstallationState, error)
	// Uninstall removes it likewise.
	Uninstall(ctx context.Context, by billing.Actor, w billing.WorkspaceID) (InstallationState, error)
}

// InstallationState is what Trueup made inside Manage.
type InstallationState struct {
	plugin.Report

	Installed time.Time // zero: nothing is there
	By        string
	Checked   time.Time
	Running   bool
	Address   string // ours, that the parts lead to
	Callbacks CallbackHealth
	Checks    []Check // what must be so before it can be installed
}

type installationScreen struct {
	book InstallationBook
}

// GetInstallation answers what was made inside Manage.
func (s installationScreen) GetInstallation(ctx context.Context, _ GetInstallationRequestObject) (GetInstallationResponseObject, error) {
	is, err := s.book.Installation(ctx, workspaceOf(ctx))
	if err != nil {
		return nil, err
	}
	return GetInstallation200JSONResponse(installationOf(is)), nil
}

// InstallInManage makes or repairs it.
func (s installationScreen) InstallInManage(ctx context.Context, _ InstallInManageRequestObject) (InstallInManageResponseObject, error) {
	is, err := s.book.Install(ctx, actor(ctx), workspaceOf(ctx))
	if err != nil {
		return nil, err
	}
	return InstallInManage200JSONResponse(installationOf(is)), nil
}

// UninstallFromManage removes it.
func (s installationScreen) UninstallFromManage(ctx context.Context, _ UninstallFromManageRequestObject) (UninstallFromManageResponseObject, error) {
	is, err := s.book.Uninstall(ctx, actor(ctx), workspaceOf(ctx))
	if err != nil {
		return nil, err
	}
	return UninstallFromManage200JSONResponse(installationOf(is)), nil
}

func installationOf(is InstallationState) Installation {
	return Installation{
		Installed: !is.Installed.IsZero(), InstalledAt: is.Installed, InstalledBy: is.By, CheckedAt: is.Checked, Running: is.Running,
		Address: is.Address, Parts: each(is.Parts, installedPartOf), Offered: list(is.Offered), Callbacks: is.Callbacks, Checks: list(is.Checks),
		Lacking: each(is.Lacking, func(p plugin.Permission) RoleSetting {
			return RoleSetting{Code: p.Code, Setting: p.Setting, Also: p.Also, For: p.For}
		}),
		ByHand: each(is.ByHand, func(h plugin.ByHand) ByHandStep { return ByHandStep{Code: h.Code, Text: h.Text} }),
	}
}

func installedPartOf(p plugin.Part) InstalledPart {
	out := InstalledPart{
		Kind: InstalledPartKind(p.Kind), Name: p.Name, Title: p.Title, ID: p.ID, State: InstalledPartState(p.State), Screen: p.Screen,
		Changed: list(p.Changed),
	}
	if f := p.Fault; f != nil {
		out.Code, out.Text, out.Action = f.Code, f.Text, f.Action
	}
	return out
}
