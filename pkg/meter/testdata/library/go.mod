module example.com/reader

go 1.26.0

require github.com/hanbridge/hanbridge v0.0.0

replace github.com/hanbridge/hanbridge => ../../../..
