// Package problem is the form of every error a user sees: what was asked and
// what is in the way, with the object and the context named; the next command
// to type; and the exit code.
package problem

import (
	"errors"
	"fmt"
	"strings"
)

// Exit codes, the same in every command and output format (docs/errors.md).
const (
	Done           = 0
	Failed         = 1
	Findings       = 2 // check found something, or plan --exit-code sees changes
	TimedOut       = 3
	RolledBack     = 4
	RollbackFailed = 5
	Usage          = 125
	Interrupted    = 130
)

// Error is a failure told to the user.
type Error struct {
	// Msg says what was asked and what is in the way.
	Msg string
	// Next is the command to type, or a short sentence with it; may be empty.
	Next string
	// Code is the exit code; 0 stands for Failed.
	Code int
	// Err is the cause, for errors.Is and errors.As; its text must already be
	// part of Msg if the user is to see it.
	Err error
}

// Error returns the text for the terminal, empty for a silent exit code.
func (e *Error) Error() string {
	if e.Next == "" {
		return e.Msg
	}
	return e.Msg + "\n\n" + e.Next
}

func (e *Error) Unwrap() error { return e.Err }

// New makes an error that ends with Failed. A %w verb sets the cause.
func New(format string, args ...any) *Error {
	err := fmt.Errorf(format, args...)
	return &Error{Msg: err.Error(), Err: errors.Unwrap(err)}
}

// Silent makes an error that prints nothing and ends with code.
func Silent(code int) *Error { return &Error{Code: code} }

// WithNext adds the command (or commands) the user can type next.
func (e *Error) WithNext(format string, args ...any) *Error {
	e.Next = fmt.Sprintf(format, args...)
	return e
}

// WithCode sets the exit code.
func (e *Error) WithCode(code int) *Error {
	e.Code = code
	return e
}

// CodeOf returns the exit code of an error, which is Failed where it says
// nothing of one.
func CodeOf(err error) int {
	if err == nil {
		return Done
	}
	var p *Error
	if errors.As(err, &p) && p.Code != 0 {
		return p.Code
	}
	return Failed
}

// Join makes one error of several findings of equal rank, each on a line of
// its own under msg, so that the user can mend all of them in one go.
func Join(msg string, findings []string) *Error {
	if len(findings) == 1 {
		return &Error{Msg: msg + ": " + findings[0]}
	}
	var b strings.Builder
	b.WriteString(msg + ":")
	for _, f := range findings {
		b.WriteString("\n  - " + strings.ReplaceAll(f, "\n", "\n    "))
	}
	return &Error{Msg: b.String()}
}
