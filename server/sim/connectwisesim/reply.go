package connectwisesim

import (
	"fmt"
	"net/http"
	"strings"
)

// reply is an answer before it is sent, so that faults can drop, cut or replace it after the state has changed.
type reply struct {
	status int
	header http.Header // nil: none of its own
	body   []byte
	after  []event // callbacks that the change causes, sent when the lock is free
}

func okReply(body []byte) reply { return reply{status: http.StatusOK, body: body} }

// errorReply has the documented shape {code, message, errors}.
func errorReply(status int, code, message string, faults ...*fieldFault) reply {
	return errorReplyFor("", status, code, message, faults...)
}

func errorReplyFor(resource string, status int, code, message string, faults ...*fieldFault) reply {
	errors := value{}
	if len(faults) > 0 {
		rows := make([]value, 0, len(faults))
		for _, f := range faults {
			rows = append(rows, object(attr{"code", text(f.code)}, attr{"message", text(f.message)},
				attr{"resource", text(resource)}, attr{"field", text(f.field)}))
		}
		errors = list(rows)
	}
	// errors is there even when it is null, unlike the fields of records.
	body := append([]byte(`{"code":`), text(code).append(nil)...)
	body = append(body, `,"message":`...)
	body = text(message).append(body)
	body = append(body, `,"errors":`...)
	body = append(errors.append(body), '}')
	return reply{status: status, body: body}
}

// invalidObject is the 400 of a body that breaks rules of its resource.
func invalidObject(resource string, faults ...*fieldFault) reply {
	return errorReplyFor(resource, http.StatusBadRequest, "InvalidObject", resource+" object is invalid", faults...)
}

func notFound(label string, id any) reply {
	return errorReply(http.StatusNotFound, "NotFound", fmt.Sprintf("%s %v not found", label, id))
}

func noEndpoint() reply {
	return errorReply(http.StatusNotFound, "ConnectWiseApi", "The endpoint does not exist.")
}

func badRequest(message string) reply {
	return errorReply(http.StatusBadRequest, "ConnectWiseApi", message)
}

func methodNotAllowed(methods ...string) reply {
	r := errorReply(http.StatusMethodNotAllowed, "ConnectWiseApi", "The requested resource does not support this http method.")
	r.header = http.Header{"Allow": {strings.Join(methods, ", ")}}
	return r
}
