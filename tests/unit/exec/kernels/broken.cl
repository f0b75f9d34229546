int not_there(int);
kernel void calls(global int* out) { out[0] = not_there(3); }
