print('not a program for a partition')
