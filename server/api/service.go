package api

import (
	"context"
	"time"

	"trueup/server/billing"
)

// ServiceBook says how the service is, and the work of a workspace.
type ServiceBook interface {
	Health(ctx context.Context, w billing.WorkspaceID) (ServiceState, error)
}

// ServiceState is how the service is, and the work of a workspace.
type ServiceState struct {
	Reasons                      []ServiceReason // why this process can't do its work; none when it can
	Processes                    int             // live ones that work
	Running, Due, Later, Failing int             // customers of the workspace
	LastNight                    billing.Day
	NextNight                    time.Time
	Mail                         bool // mails can be sent
}

type serviceScreen struct {
	book    ServiceBook
	version string
}

// GetService answers how the service is.
func (s serviceScreen) GetService(ctx context.Context, _ GetServiceRequestObject) (GetServiceResponseObject, error) {
	is, err := s.book.Health(ctx, workspaceOf(ctx))
	if err != nil {
		return nil, err
	}
	return GetService200JSONResponse{
		Version: s.version, Ready: len(is.Reasons) == 0, Reasons: list(is.Reasons), Processes: is.Processes,
		Running: is.Running, Due: is.Due, Later: is.Later, Failing: is.Failing,
		LastNight: dayOf(is.LastNight), NextNight: is.NextNight, Mail: is.Mail,
	}, nil
}
