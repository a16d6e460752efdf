package format

import (
	"encoding/xml"
	"io"
)

// Suite is a set of cases of a JUnit report, in the form that CI servers read.
type Suite struct {
	XMLName  xml.Name `xml:"testsuite"`
	Name     string   `xml:"name,attr"`
	Tests    int      `xml:"tests,attr"`
	Failures int      `xml:"failures,attr"`
	Errors   int      `xml:"errors,attr"`
	Skipped  int      `xml:"skipped,attr"`
	Time     string   `xml:"time,attr"` // seconds
	Cases    []Case   `xml:"testcase"`
}

// Case is one case: fine without any of the elements.
type Case struct {
	Class   string  `xml:"classname,attr"`
	Name    string  `xml:"name,attr"`
	Failure *Reason `xml:"failure,omitempty"`
	Error   *Reason `xml:"error,omitempty"`
	Skipped *Reason `xml:"skipped,omitempty"`
	Output  string  `xml:"system-out,omitempty"`
}

// Reason is why a case is not fine.
type Reason struct {
	Message string `xml:"message,attr"`
	Text    string `xml:",chardata"`
}

// Add adds a case and counts it.
func (s *Suite) Add(c Case) {
	s.Tests++
	switch {
	case c.Failure != nil:
		s.Failures++
	case c.Error != nil:
		s.Errors++
	case c.Skipped != nil:
		s.Skipped++
	}
	s.Cases = append(s.Cases, c)
}

// WriteJUnit writes the suites as one document.
func WriteJUnit(out io.Writer, suites []Suite) error {
	if _, err := io.WriteString(out, xml.Header); err != nil {
		return err
	}
	enc := xml.NewEncoder(out)
	enc.Indent("", "  ")
	err := enc.Encode(struct {
		XMLName xml.Name `xml:"testsuites"`
		Suites  []Suite
	}{Suites: suites})
	if err != nil {
		return err
	}
	_, err = io.WriteString(out, "\n")
	return err
}
